// The harness around a verilated accelerator: one call runs a whole batch of link words.
//
//   Rust ── run(handle, Run) ──► for each cycle: end? ─► output word ─► input word ─► clock edge
//
// `ports.h`, written beside this file by verilate.rs, names the model and its link lanes. All outputs
// of the accelerator are functions of its registers, so the eval that makes the rising edge also
// yields the outputs of the next cycle: one eval a cycle.
//
// Field order of `Run` and `Ports` is that of src/ffi.rs; `layout` lets Rust check the size.

#include "model.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#if VM_TRACE_FST
#include "verilated_fst_c.h"
#elif VM_TRACE
#include "verilated_vcd_c.h"
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "link words are copied as they lie in memory");

namespace {

constexpr uint64_t WORD_BYTES = TANDEM_LANES * sizeof(TANDEM_LANE);

/// Why `run` returned.
enum End : uint32_t { FINISHED = 0, OUTPUT_FULL = 1, CYCLE_LIMIT = 2 };

/// The accelerator's own view of itself, from its output ports.
struct Ports {
    uint32_t waiting, boundary, failed, quiet;
    uint32_t compute_pending, store_pending;
    uint32_t load_number, compute_number, store_number;
};

struct Run {
    // in
    const uint8_t *words, *first;
    uint64_t n_words;
    const uint8_t* stall_in;
    uint64_t stall_in_len;
    const uint8_t* stall_out;
    uint64_t stall_out_len;
    uint8_t* output;
    uint64_t capacity;
    uint64_t max_cycles;
    // in and out: progress of this run
    uint64_t cycles, taken, produced;
    // out
    uint32_t end;
    Ports ports;
};

#if VM_TRACE_FST
struct Tracer {
    VerilatedFstC file;
    int error() const { return 0; }
};
#elif VM_TRACE
/// Remembers a failed write instead of ending the process, as Verilator's own file class would.
struct Sink final : VerilatedVcdFile {
    int error = 0;
    bool open(const std::string& name) override {
        error = 0;
        return VerilatedVcdFile::open(name);
    }
    ssize_t write(const char* bytes, ssize_t length) override {
        if (error) return length;
        const ssize_t got = VerilatedVcdFile::write(bytes, length);
        if (got >= 0 || errno == EAGAIN || errno == EINTR) return got;
        error = errno;
        return length;
    }
};
struct Tracer {
    Sink sink;
    VerilatedVcdC file{&sink};
    int error() const { return sink.error; }
};
#endif

/// An accelerator with an input `reset` is never reset.
template <typename Model> inline auto hold_reset(Model& m, int) -> decltype(m.reset = 0, void()) { m.reset = 0; }
template <typename Model> inline void hold_reset(Model&, long) {}

struct Handle {
    VerilatedContext context;
    TANDEM_MODEL model;
#if VM_TRACE
    std::unique_ptr<Tracer> tracer;  // one a file: its time only grows
    uint64_t time = 0;
#endif

    Handle() : model{&context} {
#if VM_TRACE
        context.traceEverOn(true);
#endif
        model.clock = 0;
        hold_reset(model, 0);
        model.eval();
    }
};

/// The rising edge, with a waveform if one is written: a cycle is 10 ns, inputs change in its middle.
inline void traced_edge(Handle& h) {
#if VM_TRACE
    if (h.tracer) {
        h.model.clock = 0;
        h.model.eval();
        h.tracer->file.dump(h.time + 5);
        h.model.clock = 1;
        h.model.eval();
        h.time += 10;
        h.tracer->file.dump(h.time);
        return;
    }
#endif
    edge(h.model);
}

template <typename Model> inline void put(Model& m, const uint8_t* word) {
#define PUT(i) std::memcpy(&m.in_data_##i, word + i * sizeof(TANDEM_LANE), sizeof(TANDEM_LANE));
    TANDEM_EACH_LANE(PUT)
#undef PUT
}

template <typename Model> inline void take(const Model& m, uint8_t* word) {
#define TAKE(i) std::memcpy(word + i * sizeof(TANDEM_LANE), &m.out_data_##i, sizeof(TANDEM_LANE));
    TANDEM_EACH_LANE(TAKE)
#undef TAKE
}

/// Whether the accelerator takes a word that is offered in this cycle.
template <typename Model> inline bool accepts(const Model& m, bool first) {
    return m.in_ready && !(first && m.in_closed);
}

/// A repeating stall pattern; an empty one never stalls.
struct Pattern {
    const uint8_t* bits;
    uint64_t length, at;
    Pattern(const uint8_t* pattern, uint64_t len, uint64_t cycle)
        : bits{pattern}, length{len}, at{len ? cycle % len : 0} {}
    bool stalled() const { return length && bits[at]; }
    void step() {
        if (++at >= length) at = 0;
    }
};

/// Clocks the model until the run ends or the output buffer is full.
uint32_t clock_run(Handle& h, Run& run) {
    auto& m = *h.model.rootp;
    Pattern stall_in{run.stall_in, run.stall_in_len, run.cycles};
    Pattern stall_out{run.stall_out, run.stall_out_len, run.cycles};
    for (;;) {
        if (run.taken == run.n_words && m.status_waiting && m.status_quiet) return FINISHED;
        if (run.cycles == run.max_cycles) return CYCLE_LIMIT;

        m.out_ready = !stall_out.stalled();
        if (m.out_valid && m.out_ready) {
            if (run.produced == run.capacity) return OUTPUT_FULL;
            take(m, run.output + run.produced++ * WORD_BYTES);
        }

        const bool offer = run.taken < run.n_words && !stall_in.stalled();
        m.in_valid = offer;
        m.in_first = offer && run.first[run.taken];
        if (offer) {
            put(m, run.words + run.taken * WORD_BYTES);
            run.taken += accepts(m, m.in_first);
        }

        traced_edge(h);
        run.cycles++;
        stall_in.step();
        stall_out.step();
    }
}

}  // namespace

EXPORT void* TANDEM_SYMBOL(new)() noexcept {
    const std::lock_guard<std::mutex> lock{contexts};
    return new Handle;
}

EXPORT void TANDEM_SYMBOL(free)(void* handle) noexcept {
    const std::lock_guard<std::mutex> lock{contexts};
    delete static_cast<Handle*>(handle);
}

/// `sizeof(Run)` and the bytes of a link word, to be compared with what Rust thinks.
EXPORT uint64_t TANDEM_SYMBOL(layout)() noexcept { return sizeof(Run) << 8 | WORD_BYTES; }

EXPORT void TANDEM_SYMBOL(run)(void* handle, Run* run) noexcept {
    Handle& h = *static_cast<Handle*>(handle);
    const auto& m = *h.model.rootp;
    run->end = clock_run(h, *run);
    run->ports = Ports{m.status_waiting,         m.status_boundary,       m.status_failed,
                       m.status_quiet,           m.status_compute_pending, m.status_store_pending,
                       m.status_load_number,     m.status_compute_number,  m.status_store_number};
}

/// The loop to compare `run` with: `cycles` times clock and eval. With words, they are offered as
/// `run` does, without stalls, and outputs are dropped; nothing else is looked at.
EXPORT void TANDEM_SYMBOL(raw)(void* handle, uint64_t cycles, const uint8_t* words, const uint8_t* first,
                               uint64_t n_words) noexcept {
    Handle& h = *static_cast<Handle*>(handle);
    auto& m = *h.model.rootp;
    m.out_ready = 1;
    m.in_valid = 0;
    uint64_t cycle = 0;
    for (uint64_t taken = 0; cycle < cycles && taken < n_words; cycle++) {
        m.in_valid = 1;
        m.in_first = first[taken];
        put(m, words + taken * WORD_BYTES);
        taken += accepts(m, m.in_first);
        edge(h.model);
    }
    m.in_valid = 0;
    for (; cycle < cycles; cycle++) edge(h.model);
}

/// Starts a waveform at time 0; an errno, or 0.
EXPORT int TANDEM_SYMBOL(trace_open)(void* handle, const char* path) noexcept {
#if VM_TRACE
    Handle& h = *static_cast<Handle*>(handle);
    auto tracer = std::make_unique<Tracer>();
    h.model.trace(&tracer->file, 99);
    tracer->file.set_time_unit("1ns");
    tracer->file.set_time_resolution("1ns");
    errno = 0;
    tracer->file.open(path);
    if (!tracer->file.isOpen()) return errno ? errno : EIO;
    h.tracer = std::move(tracer);
    h.time = 0;
    h.model.clock = 1;  // as in the first half of every other cycle
    h.tracer->file.dump(0);
    return h.tracer->error();
#else
    (void)handle, (void)path;
    return ENOTSUP;
#endif
}

/// Writes out what is buffered and, if `close`, ends the waveform; an errno, or 0.
EXPORT int TANDEM_SYMBOL(trace_flush)(void* handle, int close) noexcept {
#if VM_TRACE
    Handle& h = *static_cast<Handle*>(handle);
    if (!h.tracer) return 0;
    close ? h.tracer->file.close() : h.tracer->file.flush();
    const int error = h.tracer->error();
    if (close) h.tracer.reset();
    return error;
#else
    (void)handle, (void)close;
    return 0;
#endif
}
