"""What all dashboards are built with: InfluxQL queries, panels with our defaults, colours, links and variables.

Needs `grafana-foundation-sdk`, which is a tool of development only: the JSON that it makes is part of the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import bargauge, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.text import TextMode

from dashboards.grafana._names import BUCKETS, DAYS, DETAIL, MINUTES, TAG, UIDS
from sagittal.results import NOTICE
from sagittal.thresholds import threshold

__all__ = [
    "BLUE",
    "DAYS",
    "DETAIL",
    "GREEN",
    "GREY",
    "MINUTES",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "WEARER",
    "annotate",
    "bars",
    "dashboard",
    "lines",
    "note",
    "number",
    "prop",
    "query",
    "rows",
    "states",
    "steps",
    "threshold",
    "words",
]

BLUE, SKY, GREEN, ORANGE, RED, PURPLE, GREY = (
    "#3d8fd1",
    "#56b4e9",
    "#2fc79f",
    "#e69f00",
    "#e8602c",
    "#cc79a7",
    "#8e969e",
)
"""Hues of Okabe & Ito's set for colour-blind readers, lightened until they stand out on a dark ground too."""

_ORDER = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, GREY)

WEARER = '"wearer" =~ /^$wearer$/ AND $timeFilter'
"""Whose points, in the range that the dashboard shows."""

AnyPanel = Builder[models.Panel]
Override = tuple[str, dict[str, Any]]


class InfluxQL(Dataquery):
    """One InfluxQL query of a panel, variable or annotation, as Grafana's InfluxDB data source stores it."""

    def __init__(self, source: str, text_: str, alias: str = "", *, as_table: bool = False) -> None:
        self.ref_id = "A"
        self.source, self._text, self.alias, self._as_table = source, text_, alias, as_table

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it."""
        made: dict[str, object] = {
            "refId": self.ref_id,
            "datasource": {"type": "influxdb", "uid": self.source},
            "rawQuery": True,
            "query": self._text,
            "resultFormat": "table" if self._as_table else "time_series",
        }
        if self.alias:
            made["alias"] = self.alias
        return made


class _Made(Builder[Any]):
    def __init__(self, value: Any) -> None:
        self._value = value

    def build(self) -> Any:
        return self._value


def query(source: str, text_: str, alias: str = "", *, as_table: bool = False) -> InfluxQL:
    """A query of one of the three buckets."""
    return InfluxQL(source, text_, alias, as_table=as_table)


def prop(**values: Any) -> dict[str, Any]:
    """Properties of an override: `__` stands for a dot."""
    return {name.replace("__", "."): value for name, value in values.items()}


def steps(*found: tuple[float | None, str]) -> models.ThresholdsConfig:
    """Colours from a value on; the first has no value."""
    return models.ThresholdsConfig(
        mode=models.ThresholdsMode.ABSOLUTE,
        steps=[models.Threshold(value=value, color=colour) for value, colour in found],
    )


def words(mapping: dict[str, tuple[str, str]]) -> list[Any]:
    """Values as words and colours."""
    return [
        models.ValueMap(
            options={
                value: models.ValueMappingResult(text=shown, color=colour, index=index)
                for index, (value, (shown, colour)) in enumerate(mapping.items())
            }
        )
    ]


def number(
    id_: int,
    title: str,
    about: str,
    unit: str,
    *queries: InfluxQL,
    calc: str = "lastNotNull",
    span: int = 4,
    height: int = 4,
    colours: models.ThresholdsConfig | None = None,
    decimals: int | None = None,
    spark: bool = False,
    mappings: list[Any] | None = None,
    empty: str = "–",
) -> AnyPanel:
    """One large number."""
    panel = (
        stat.Panel()
        .reduce_options(common_builders.ReduceDataOptions().calcs([calc]).fields("").values(False))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA if spark else common.BigValueGraphMode.NONE)
        .thresholds(_Made(colours or steps((None, BLUE))))
        .no_value(empty)
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    if mappings is not None:
        panel = panel.mappings(mappings)
    return _finish(panel, id_, title, about, unit, queries, span, height)


def lines(
    id_: int,
    title: str,
    about: str,
    unit: str,
    *queries: InfluxQL,
    span: int = 12,
    height: int = 8,
    limits: models.ThresholdsConfig | None = None,
    band: bool = False,
    points: bool = False,
    stacked: bool = False,
    bars_: bool = False,
    every: str = "",
    overrides: Sequence[Override] = (),
    low: float | None = None,
    high: float | None = None,
    decimals: int | None = None,
    legend: bool = True,
) -> AnyPanel:
    """Values over time; a gap stays a gap. `limits` are drawn as dashed lines, or with `band` as a filled region."""
    panel = (
        timeseries.Panel()
        .draw_style(_style(points=points, bars_=bars_))
        .line_width(1 if not points else 0)
        .fill_opacity(80 if bars_ else 0)
        .show_points(common.VisibilityMode.ALWAYS if points else common.VisibilityMode.AUTO)
        .point_size(6 if points else 4)
        .span_nulls(False)
        .legend(_legend(shown=legend))
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
        .color_scheme(_Made(models.FieldColor(mode=models.FieldColorModeId.PALETTE_CLASSIC)))
    )
    aliases = [one.alias for one in queries]
    if "$" not in "".join(aliases):
        colours = zip(aliases, cycle(_ORDER), strict=False)
        named: dict[str, dict[str, Any]] = {
            alias: prop(color={"mode": "fixed", "fixedColor": colour}) for alias, colour in colours
        }
        for name, properties in overrides:
            named[name] = named.get(name, {}) | properties
        overrides = list(named.items())
    if limits is not None:
        mode = common.GraphThresholdsStyleMode.AREA if band else common.GraphThresholdsStyleMode.DASHED
        panel = panel.thresholds(_Made(limits)).thresholds_style(_Made(common.GraphThresholdsStyleConfig(mode=mode)))
    if stacked:
        panel = panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if every:
        panel = panel.interval(every)
    if low is not None:
        panel = panel.min(low)
    if high is not None:
        panel = panel.max(high)
    if decimals is not None:
        panel = panel.decimals(decimals)
    return _finish(_override(panel, overrides), id_, title, about, unit, queries, span, height)


def states(
    id_: int,
    title: str,
    about: str,
    mappings: list[Any],
    *queries: InfluxQL,
    span: int = 24,
    height: int = 5,
    every: str = "",
    many: bool = False,
) -> AnyPanel:
    """A band of states over time."""
    panel = (
        statetimeline.Panel()
        .mappings(mappings)
        .merge_values(True)
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.9)
        .line_width(0)
        .fill_opacity(85)
        .legend(_legend(shown=True))
    )
    if every:
        panel = panel.interval(every)
    if many:
        panel = panel.per_page(25)
    return _finish(panel, id_, title, about, "string", queries, span, height)


def bars(
    id_: int,
    title: str,
    about: str,
    unit: str,
    *queries: InfluxQL,
    span: int = 8,
    height: int = 8,
    overrides: Sequence[Override] = (),
    high: float | None = None,
    colours: models.ThresholdsConfig | None = None,
    calc: str = "lastNotNull",
    decimals: int | None = None,
) -> AnyPanel:
    """Bars side by side, one a value."""
    panel = (
        bargauge.Panel()
        .reduce_options(common_builders.ReduceDataOptions().calcs([calc]).fields("").values(False))
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .value_mode(common.BarGaugeValueMode.TEXT)
        .name_placement(common.BarGaugeNamePlacement.LEFT)
        .show_unfilled(True)
        .min(0)
        .thresholds(_Made(colours or steps((None, BLUE))))
    )
    if high is not None:
        panel = panel.max(high)
    if decimals is not None:
        panel = panel.decimals(decimals)
    return _finish(_override(panel, overrides), id_, title, about, unit, queries, span, height)


def rows(
    id_: int,
    title: str,
    about: str,
    unit: str,
    *queries: InfluxQL,
    span: int = 12,
    height: int = 8,
    overrides: Sequence[Override] = (),
    transform: Sequence[tuple[str, dict[str, Any]]] = (),
    sort: tuple[str, bool] | None = None,
    decimals: int | None = None,
) -> AnyPanel:
    """A table that can be sorted."""
    panel = table.Panel().show_header(True).cell_height(common.TableCellHeight.SM).filterable(True)
    if sort is not None:
        panel = panel.sort_by([common_builders.TableSortByFieldState().display_name(sort[0]).desc(sort[1])])
    if decimals is not None:
        panel = panel.decimals(decimals)
    if transform:
        panel = panel.transformations(
            [models.DataTransformerConfig(id_val=name, options=options) for name, options in transform]
        )
    return _finish(_override(panel, overrides), id_, title, about, unit, queries, span, height)


def note(id_: int, said: str, *, span: int = 24, height: int = 3) -> AnyPanel:
    """A few words, with the notice that stands on every dashboard."""
    panel = text.Panel().mode(TextMode.MARKDOWN).content(f"{said} *{NOTICE}*").transparent(True)
    return (
        panel.id(id_)
        .title("")
        .description("What this dashboard shows, and what it does not.")
        .span(span)
        .height(height)
    )


def annotate(name: str, colour: str, source: str, text_: str, shown: str, *, hidden: bool = False) -> Any:
    """Events on every panel over time: `shown` is the column that is read, `end_ms` the end."""
    field = models.AnnotationEventFieldSource.FIELD
    return (
        builders.AnnotationQuery()
        .name(name)
        .datasource(ref(source))
        .enable(not hidden)
        .hide(False)
        .icon_color(colour)
        .target(_Made(query(source, text_, as_table=True)))
        .mappings(
            {
                "timeEnd": builders.AnnotationEventFieldMapping().source(field).value("end_ms"),
                "text": builders.AnnotationEventFieldMapping().source(field).value(shown),
            }
        )
    )


def dashboard(
    name: str, title: str, about: str, *, time: str = "now-24h", refresh: str = "1m", wearer: bool = True
) -> builders.Dashboard:
    """An empty dashboard with links to the others, and the wearer to choose."""
    made = (
        builders.Dashboard(title)
        .uid(UIDS[name])
        .description(f"{about} {NOTICE}")
        .tags([TAG])
        .time(time, "now")
        .timezone("browser")
        .refresh(refresh)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .editable()
        .version(1)
        .link(
            builders.DashboardLink("Sagittal")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(name != "clinic")
            .icon("external link")
            .url("")
            .tooltip("")
        )
    )
    if wearer:
        made = made.with_variable(
            choice("wearer", "Wearer", "Whose results are shown; a pseudonym.", MINUTES, "minute")
        )
    return made


def bucket_constants(*sources: str) -> list[Any]:
    """Names of buckets as hidden variables, for queries that look into more than one."""
    return [builders.ConstantVariable(source.removeprefix("sagittal_")).value(BUCKETS[source]) for source in sources]


def choice(name: str, label: str, about: str, source: str, measurement: str) -> builders.QueryVariable:
    """A variable whose values are those of a tag, within the range."""
    where = f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{name}" WHERE $timeFilter'
    return (
        builders.QueryVariable(name)
        .label(label)
        .description(about)
        .datasource(ref(source))
        .query({"refId": name, "query": where})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(False)
        .include_all(False)
    )


def wearers() -> builders.QueryVariable:
    """Wearers of whom wearables are known, all at first."""
    made = choice("wearer", "Wearer", "Whose wearables are shown; pseudonyms.", DETAIL, "device")
    everyone = models.VariableOption(text=["All"], value=["$__all"])
    return made.multi(True).include_all(True).current(everyone)


def named(shown: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The transformation that names and orders a table's columns and hides the time."""
    order = {name: index for index, name in enumerate(["Time", *shown])}
    return "organize", {"excludeByName": {"Time": True}, "renameByName": shown, "indexByName": order}


def _legend(*, shown: bool) -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .show_legend(shown)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs([])
    )


def _style(*, points: bool, bars_: bool) -> common.GraphDrawStyle:
    if points:
        return common.GraphDrawStyle.POINTS
    return common.GraphDrawStyle.BARS if bars_ else common.GraphDrawStyle.LINE


def _override(panel: Any, overrides: Sequence[Override]) -> Any:
    for name, properties in overrides:
        values = [models.DynamicConfigValue(id_val=key, value=value) for key, value in properties.items()]
        chosen = panel.override_by_regexp if name.startswith("/") else panel.override_by_name
        panel = chosen(name, values)
    return panel


def _finish(
    panel: Any, id_: int, title: str, about: str, unit: str, queries: Sequence[InfluxQL], span: int, height: int
) -> AnyPanel:
    panel = panel.id(id_).title(title).description(about).unit(unit).span(span).height(height)
    for letter, one in zip(ascii_uppercase, queries, strict=False):
        one.ref_id = letter
        panel = panel.with_target(_Made(one))
    finished: AnyPanel = panel.datasource(ref(queries[0].source))
    return finished


def ref(source: str) -> common.DataSourceRef:
    """A data source."""
    return common.DataSourceRef(type_val="influxdb", uid=source)
