// Drives a scan chain by a script: `A bits` shifts inputs in and applies them for a cycle, `C n` prints n captured outputs.
#include "Device.h"
#include "verilated.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

double sc_time_stamp() { return 0; }

static VerilatedContext context;
static Device device{&context};

static void cycle() {
    device.clock = 0;
    device.eval();
    device.clock = 1;
    device.eval();
}

static void idle(int cycles) {
    device.shift = device.apply = device.capture = 0;
    for (int i = 0; i < cycles; i++) cycle();
}

int main(int, char **arguments) {
    std::ifstream script(arguments[1]);
    std::string what, argument;
    idle(4);
    while (script >> what >> argument) {
        if (what == "A") {
            device.shift = 1;
            for (char bit : argument) {
                device.shift_in = bit == '1';
                cycle();
            }
            device.shift = 0;
            device.apply = 1;
            cycle();
            idle(2);
        } else {
            idle(16);
            device.capture = 1;
            cycle();
            device.capture = 0;
            device.shift = 1;
            for (int i = 0; i < std::atoi(argument.c_str()); i++) {
                device.clock = 0;
                device.eval();
                std::cout << int(device.shift_out);
                cycle();
            }
            std::cout << std::endl;
        }
    }
}
