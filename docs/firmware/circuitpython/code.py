"""Reference program for the Sagittal profile under CircuitPython: Feather Sense, CLUE, XIAO nRF52840 Sense.

Libraries (circup install): adafruit_ble, adafruit_lsm6ds. 50 Hz is what an interpreter holds beside the radio.
"""

import time

import _bleio
import board
import digitalio
import sagittal_profile as sagittal
from adafruit_ble import BLERadio
from adafruit_ble.advertising.standard import ProvideServicesAdvertisement
from adafruit_ble.characteristics import Characteristic
from adafruit_ble.services import Service
from adafruit_ble.uuid import VendorUUID
from adafruit_lsm6ds import AccelRange, GyroRange, Rate
from adafruit_lsm6ds.lsm6ds33 import LSM6DS33

MAX_HZ = 50
ACC_SCALE, GYR_SCALE = 8 * 9.80665 / 32768, 1000 * 0.017453293 / 32768


class SagittalService(Service):
    """The profile's four characteristics."""

    uuid = VendorUUID(sagittal.SERVICE)
    data = Characteristic(
        uuid=VendorUUID(sagittal.DATA), properties=Characteristic.NOTIFY, max_length=sagittal.DATA_BYTES
    )
    info = Characteristic(
        uuid=VendorUUID(sagittal.INFO), properties=Characteristic.READ, max_length=sagittal.INFO_BYTES
    )
    control = Characteristic(uuid=VendorUUID(sagittal.CONTROL), properties=Characteristic.WRITE, max_length=8)
    time = Characteristic(
        uuid=VendorUUID(sagittal.TIME),
        properties=Characteristic.WRITE | Characteristic.NOTIFY,
        max_length=sagittal.TIME_BYTES,
    )


def micros():
    """The device's time, µs."""
    return time.monotonic_ns() // 1000


led = digitalio.DigitalInOut(board.LED)
led.switch_to_output(False)
sensor = LSM6DS33(board.I2C())
sensor.accelerometer_range = AccelRange.RANGE_8G
sensor.gyro_range = GyroRange.RANGE_1000_DPS
sensor.accelerometer_data_rate = sensor.gyro_data_rate = Rate.RATE_104_HZ

profile = sagittal.Profile(ACC_SCALE, GYR_SCALE)
service = SagittalService()
service.info = profile.info(sagittal.HAS_GYR | sagittal.HAS_SIGNAL, MAX_HZ)
commands = _bleio.PacketBuffer(service.bleio_characteristics["control"], buffer_size=4)
questions = _bleio.PacketBuffer(service.bleio_characteristics["time"], buffer_size=4)
radio = BLERadio()
radio.name = "Sagittal"
advertisement = ProvideServicesAdvertisement(service)
incoming = bytearray(20)

while True:
    radio.start_advertising(advertisement)
    while not radio.connected:
        time.sleep(0.05)
    radio.stop_advertising()
    period_us, due_us, signal_end = 1_000_000 // MAX_HZ, micros(), None
    while radio.connected:
        length = questions.readinto(incoming)
        if length == 4:
            received = micros()
            service.time = sagittal.time_reply(incoming[:4], received, micros())
        length = commands.readinto(incoming)
        if length:
            command = profile.control(incoming[:length])
            if command == sagittal.START:
                granted = max(10, min(profile.rate_hz, MAX_HZ))
                service.info = profile.info(sagittal.HAS_GYR | sagittal.HAS_SIGNAL, granted)
                period_us, due_us = 1_000_000 // granted, micros()
            elif command == sagittal.SIGNAL:
                led.value = True
                signal_end = time.monotonic() + profile.signal_ms / 1000
        if signal_end is not None and time.monotonic() >= signal_end:
            led.value, signal_end = False, None
        now = micros()
        if not profile.streaming or now < due_us:
            continue
        while now - due_us >= period_us:
            profile.missed()
            due_us += period_us
        due_us += period_us
        packet = profile.sample(now, sensor.acceleration, sensor.gyro)
        if packet:
            service.data = packet
    profile.streaming = False
