// What both harnesses do with a verilated model, shim.cpp and pins.cpp.

#pragma once

#include "ports.h"

#include <mutex>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

/// The rising edge at the end of a cycle.
inline void edge(TANDEM_MODEL& model) {
#ifdef TANDEM_FORGET_CLOCK
    // nothing happens on a falling edge: tell the trigger that there was one
    TANDEM_FORGET_CLOCK(model.rootp);
#else
    model.clock = 0;
    model.eval();
#endif
    model.clock = 1;
    model.eval();
}

/// Verilator's contexts register themselves in a global.
std::mutex contexts;

}  // namespace
