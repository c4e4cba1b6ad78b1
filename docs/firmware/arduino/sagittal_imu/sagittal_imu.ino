// Reference sketch for the Sagittal profile on a XIAO nRF52840 Sense or a Nano 33 BLE Sense Rev2.
// Libraries: ArduinoBLE; for the XIAO "Seeed Arduino LSM6DS3", for the Nano "Arduino_BMI270_BMM150".
#include <ArduinoBLE.h>
#include "sagittal_profile.h"

#if defined(ARDUINO_ARDUINO_NANO33BLE)
#include "Arduino_BMI270_BMM150.h"
#else
#include <LSM6DS3.h>
#include <Wire.h>
LSM6DS3 imu(I2C_MODE, 0x6A);
#endif

SagittalProfile profile;
BLEService service(SAGITTAL_SERVICE);
BLECharacteristic dataChar(SAGITTAL_DATA, BLENotify, SagittalProfile::DATA_BYTES);
BLECharacteristic infoChar(SAGITTAL_INFO, BLERead, SagittalProfile::INFO_BYTES, true);
BLECharacteristic controlChar(SAGITTAL_CONTROL, BLEWrite, 8);
BLECharacteristic timeChar(SAGITTAL_TIME, BLEWrite | BLENotify, SagittalProfile::TIME_BYTES);
BLEService batteryService("180F");
BLEByteCharacteristic batteryChar("2A19", BLERead | BLENotify);

const float G = 9.80665f, DPS = 0.017453293f;
const float MAX_HZ = 208.0f;
float grantedHz = 100.0f;
uint32_t periodUs = 10000, dueUs = 0, signalEndMs = 0;

#if defined(ARDUINO_ARDUINO_NANO33BLE)
// The library fixes ±4 g and ±2000 °/s at 100 Hz and gives floats.
const float ACC_SCALE = 4 * G / 32768, GYR_SCALE = 2000 * DPS / 32768;

bool beginSensor() { return IMU.begin(); }

void grant(float &accScale, float &gyrScale) {
  grantedHz = min(grantedHz, 100.0f);
  accScale = ACC_SCALE;
  gyrScale = GYR_SCALE;
}

bool readSensor(int16_t acc[3], int16_t gyr[3]) {
  float a[3], g[3];
  if (!IMU.readAcceleration(a[0], a[1], a[2]) || !IMU.readGyroscope(g[0], g[1], g[2])) return false;
  for (int i = 0; i < 3; i++) {
    acc[i] = (int16_t)constrain(a[i] * G / ACC_SCALE, -32768.0f, 32767.0f);
    gyr[i] = (int16_t)constrain(g[i] * DPS / GYR_SCALE, -32768.0f, 32767.0f);
  }
  return true;
}
#else
// Sensitivities from the LSM6DS3TR-C datasheet, table 3: mg and mdps a count.
bool beginSensor() { return imu.begin() == 0; }

void grant(float &accScale, float &gyrScale) {
  uint16_t accG = profile.acc_g <= 2 ? 2 : profile.acc_g <= 4 ? 4 : profile.acc_g <= 8 ? 8 : 16;
  uint16_t dps = profile.gyr_dps <= 245 ? 245 : profile.gyr_dps <= 500 ? 500 : profile.gyr_dps <= 1000 ? 1000 : 2000;
  imu.settings.accelRange = accG;
  imu.settings.gyroRange = dps;
  imu.settings.accelSampleRate = imu.settings.gyroSampleRate = grantedHz > 104 ? 416 : 208;
  imu.begin();
  accScale = 0.061f * (accG / 2) * G / 1000;
  gyrScale = (dps == 245 ? 8.75f : dps == 500 ? 17.5f : dps == 1000 ? 35.0f : 70.0f) * DPS / 1000;
}

bool readSensor(int16_t acc[3], int16_t gyr[3]) {
  acc[0] = imu.readRawAccelX();
  acc[1] = imu.readRawAccelY();
  acc[2] = imu.readRawAccelZ();
  gyr[0] = imu.readRawGyroX();
  gyr[1] = imu.readRawGyroY();
  gyr[2] = imu.readRawGyroZ();
  return true;
}
#endif

void tellInfo() {
  float accScale, gyrScale;
  grant(accScale, gyrScale);
  periodUs = (uint32_t)(1e6f / grantedHz + 0.5f);
  uint8_t out[SagittalProfile::INFO_BYTES];
  profile.info(out, SagittalProfile::HAS_GYR | SagittalProfile::HAS_SIGNAL, grantedHz, accScale, gyrScale);
  infoChar.writeValue(out, sizeof out);
}

void onControl(BLEDevice, BLECharacteristic) {
  switch (profile.control(controlChar.value(), controlChar.valueLength())) {
    case SagittalProfile::START:
      grantedHz = constrain((float)profile.rate_hz, 10.0f, MAX_HZ);
      tellInfo();
      dueUs = micros();
      break;
    case SagittalProfile::SIGNAL:
      digitalWrite(LED_BUILTIN, HIGH);
      signalEndMs = millis() + profile.signal_ms;
      break;
    default:
      break;
  }
}

void onTime(BLEDevice, BLECharacteristic) {
  uint32_t received = micros();
  if (timeChar.valueLength() != 4) return;
  uint8_t token[4], out[SagittalProfile::TIME_BYTES];
  memcpy(token, timeChar.value(), 4);
  profile.time(out, token, received, micros());
  timeChar.writeValue(out, sizeof out);
}

void onGone(BLEDevice) { profile.streaming = false; }

void setup() {
  pinMode(LED_BUILTIN, OUTPUT);
  if (!beginSensor() || !BLE.begin()) {
    while (true) {  // blinks for ever: no sensor or no radio
      digitalWrite(LED_BUILTIN, millis() / 200 % 2 ? HIGH : LOW);
    }
  }
  BLE.setLocalName("Sagittal");
  BLE.setConnectionInterval(6, 12);  // 7.5 to 15 ms
  BLE.setAdvertisedService(service);
  service.addCharacteristic(dataChar);
  service.addCharacteristic(infoChar);
  service.addCharacteristic(controlChar);
  service.addCharacteristic(timeChar);
  batteryService.addCharacteristic(batteryChar);
  BLE.addService(service);
  BLE.addService(batteryService);
  controlChar.setEventHandler(BLEWritten, onControl);
  timeChar.setEventHandler(BLEWritten, onTime);
  BLE.setEventHandler(BLEDisconnected, onGone);
  batteryChar.writeValue(100);  // a board that measures its battery writes it here
  tellInfo();
  BLE.advertise();
}

void loop() {
  BLE.poll();
  if (signalEndMs && (int32_t)(millis() - signalEndMs) >= 0) {
    digitalWrite(LED_BUILTIN, LOW);
    signalEndMs = 0;
  }
  if (!profile.streaming || (int32_t)(micros() - dueUs) < 0) return;
  while ((int32_t)(micros() - dueUs) >= (int32_t)periodUs) {  // the radio kept us: these are lost, and told so
    profile.missed();
    dueUs += periodUs;
  }
  int16_t acc[3], gyr[3];
  uint32_t now = micros();
  dueUs += periodUs;
  if (!readSensor(acc, gyr)) {
    profile.missed();
  } else if (profile.sample(now, acc, gyr)) {
    dataChar.writeValue(profile.packet, sizeof profile.packet);
  }
}
