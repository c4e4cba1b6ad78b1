# One image for worker, page, bridge and simulator; Grafana, InfluxDB and the broker have their own.
FROM python:3.13.9-slim-bookworm AS built
WORKDIR /src
# Where no wheel of the orientation filter exists (ARM), it is compiled here.
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY sagittal sagittal
COPY sensor_bridge sensor_bridge
COPY analytics analytics
COPY dashboards dashboards
COPY simulators simulators
RUN python -m venv /opt/sagittal && /opt/sagittal/bin/pip install --no-cache-dir -c constraints.txt '.[all]'

FROM python:3.13.9-slim-bookworm
COPY --from=built /opt/sagittal /opt/sagittal
COPY docker/secrets.sh docker/tokens.sh /usr/local/bin/
# New volumes take over these folders with their owner.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin sagittal \
    && mkdir -p /data /secrets/broker /secrets/influx /secrets/sagittal /secrets/grafana \
    && chown -R sagittal:sagittal /data /secrets
ENV PATH=/opt/sagittal/bin:$PATH PYTHONUNBUFFERED=1 SAGITTAL_DATA_DIR=/data
USER 10001:10001
CMD ["sagittal", "--help"]
