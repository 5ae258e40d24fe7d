// The harness around a verilated board: pins in, pins out, one sample a clock.
//
//   Rust ── clock(handle, rx, out, n) ──► for each cycle: rx ─► clock edge ─► tx and lights
//
// All outputs are functions of registers, so that one eval a cycle is enough, as in shim.cpp.

#include "model.h"

#include <cstdint>

namespace {

struct Handle {
    VerilatedContext context;
    TANDEM_MODEL model;

    Handle() : model{&context} {
        model.clock = 0;
        model.rx = 1;
        model.eval();
    }
};

}  // namespace

EXPORT void* TANDEM_SYMBOL(new)() noexcept {
    const std::lock_guard<std::mutex> lock{contexts};
    return new Handle;
}

EXPORT void TANDEM_SYMBOL(free)(void* handle) noexcept {
    const std::lock_guard<std::mutex> lock{contexts};
    delete static_cast<Handle*>(handle);
}

/// `n` cycles; `out` gets tx, led_link, led_error, led_busy in bits 0 to 3 of a byte each.
EXPORT void TANDEM_SYMBOL(clock)(void* handle, const uint8_t* rx, uint8_t* out, uint64_t n) noexcept {
    Handle& h = *static_cast<Handle*>(handle);
    auto& m = *h.model.rootp;
    for (uint64_t i = 0; i < n; i++) {
        m.rx = rx[i];
        out[i] = static_cast<uint8_t>(m.tx | m.led_link << 1 | m.led_error << 2 | m.led_busy << 3);
        edge(h.model);
    }
}
