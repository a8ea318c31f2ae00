/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef UART_H
#define UART_H
#include <stdint.h>

/* The guest's serial port: what it writes appears line by line behind "guest: ". */
void uart_out(uint16_t port, uint8_t value);
uint8_t uart_in(uint16_t port);

#endif
