// Sagittal's GATT profile without any board: what goes into the packets and what the commands mean.
// The layout stands in docs/wearables.md; tests/wearables/test_firmware.py compiles this file and reads its packets.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const char *const SAGITTAL_SERVICE = "5a610000-41b6-4e0c-9d5a-2f8c3a7be914";
static const char *const SAGITTAL_DATA = "5a610001-41b6-4e0c-9d5a-2f8c3a7be914";
static const char *const SAGITTAL_INFO = "5a610002-41b6-4e0c-9d5a-2f8c3a7be914";
static const char *const SAGITTAL_CONTROL = "5a610003-41b6-4e0c-9d5a-2f8c3a7be914";
static const char *const SAGITTAL_TIME = "5a610004-41b6-4e0c-9d5a-2f8c3a7be914";

class SagittalProfile {
 public:
  static const uint8_t VERSION = 1, HAS_GYR = 1, HAS_SIGNAL = 2;
  static const uint8_t SAMPLES = 5;  // a packet of 5 needs an MTU of 69; with 1 every central will do
  static const size_t INFO_BYTES = 14, TIME_BYTES = 12, DATA_BYTES = 6 + 12 * SAMPLES;
  enum Command { NONE, STOP, START, SIGNAL };

  bool streaming = false;
  uint16_t rate_hz = 100, gyr_dps = 1000, signal_ms = 0;
  uint8_t acc_g = 8;
  uint8_t packet[DATA_BYTES];

  // Takes a write to the control characteristic; after START, set up the sensor, then write `info`.
  Command control(const uint8_t *data, size_t length) {
    if (length >= 1 && data[0] == 0) {
      streaming = false;
      return STOP;
    }
    if (length >= 6 && data[0] == 1) {
      rate_hz = get16(data + 1);
      acc_g = data[3];
      gyr_dps = get16(data + 4);
      filled = 0;
      streaming = true;
      return START;
    }
    if (length >= 3 && data[0] == 2) {
      signal_ms = get16(data + 1);
      return SIGNAL;
    }
    return NONE;
  }

  // What the board grants: rate, and m/s² and rad/s a count.
  void info(uint8_t out[INFO_BYTES], uint8_t features, float granted_hz, float acc_scale, float gyr_scale) const {
    out[0] = VERSION;
    out[1] = features;
    put32(out + 2, (uint32_t)(granted_hz * 1000.0f + 0.5f));
    putf(out + 6, acc_scale);
    putf(out + 10, gyr_scale);
  }

  // A sample of the device time `us`; true when `packet` is full and must be sent. Call `missed` for each one left out.
  bool sample(uint32_t us, const int16_t acc[3], const int16_t gyr[3]) {
    if (filled == 0) {
      put16(packet, number);
      put32(packet + 2, us);
    }
    uint8_t *row = packet + 6 + 12 * filled;
    for (int i = 0; i < 3; i++) {
      put16(row + 2 * i, (uint16_t)acc[i]);
      put16(row + 6 + 2 * i, (uint16_t)gyr[i]);
    }
    number++;
    filled = (uint8_t)((filled + 1) % SAMPLES);
    return filled == 0;
  }

  // A sample was due and not measured: its number is left out, and so is what waits, for a packet has no holes.
  void missed() {
    number++;
    filled = 0;
  }

  // Answers a question about the time: when it came and when this leaves, µs.
  void time(uint8_t out[TIME_BYTES], const uint8_t token[4], uint32_t received_us, uint32_t sent_us) const {
    memcpy(out, token, 4);
    put32(out + 4, received_us);
    put32(out + 8, sent_us);
  }

 private:
  uint16_t number = 0;
  uint8_t filled = 0;

  static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }
  static void put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
  }
  static void put32(uint8_t *at, uint32_t value) {
    put16(at, (uint16_t)value);
    put16(at + 2, (uint16_t)(value >> 16));
  }
  static void putf(uint8_t *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    put32(at, bits);
  }
};
