/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Keyboard controller.  The order of commands follows their numbers; those that nobody knows are
 * ignored, as the chip does.
 *
 * Linux takes a controller for one with a mouse port if D3h gives its byte back marked as the
 * mouse's.  Here it comes unmarked; then Linux asks the port's test, A9h, and believes it.
 */
#include <libsvm/platform/i8042.h>

#include "core/core.h"

#define KBC_DATA    0u /* Port 60h. */
#define KBC_COMMAND 4u /* Port 64h. */

#define KBC_STATUS_DATA     0x01u
#define KBC_STATUS_SYSTEM   0x04u /* As bit 2 of the command byte. */
#define KBC_STATUS_COMMAND  0x08u
#define KBC_STATUS_UNLOCKED 0x10u
#define KBC_STATUS_TIMEOUT  0x40u
#define KBC_STATUS_KEPT     (KBC_STATUS_DATA | KBC_STATUS_COMMAND | KBC_STATUS_TIMEOUT)

#define KBC_CCB_IRQ         0x01u
#define KBC_CCB_SYSTEM      0x04u
#define KBC_CCB_NO_KEYBOARD 0x10u
#define KBC_CCB_NO_MOUSE    0x20u
#define KBC_CCB_TRANSLATE   0x40u

#define KBC_OUTPUT_RUN  0x01u
#define KBC_OUTPUT_A20  0x02u
#define KBC_OUTPUT_DATA 0x10u /* Follows KBC_STATUS_DATA. */
#define KBC_OUTPUT_IDLE 0xc0u /* The lines to the keyboard. */

#define KBC_INPUT_UNLOCKED 0x80u

#define KBC_CMD_READ_RAM      0x20u /* To 3Fh. */
#define KBC_CMD_WRITE_RAM     0x60u /* To 7Fh. */
#define KBC_CMD_MOUSE_OFF     0xa7u
#define KBC_CMD_MOUSE_ON      0xa8u
#define KBC_CMD_MOUSE_TEST    0xa9u
#define KBC_CMD_SELF_TEST     0xaau
#define KBC_CMD_KEYBOARD_TEST 0xabu
#define KBC_CMD_KEYBOARD_OFF  0xadu
#define KBC_CMD_KEYBOARD_ON   0xaeu
#define KBC_CMD_READ_INPUT    0xc0u
#define KBC_CMD_READ_OUTPUT   0xd0u
#define KBC_CMD_WRITE_OUTPUT  0xd1u
#define KBC_CMD_ECHO_KEYBOARD 0xd2u
#define KBC_CMD_ECHO_MOUSE    0xd3u
#define KBC_CMD_TO_MOUSE      0xd4u
#define KBC_CMD_A20_OFF       0xddu
#define KBC_CMD_A20_ON        0xdfu
#define KBC_CMD_TEST_INPUTS   0xe0u
#define KBC_CMD_PULSE         0xf0u /* To FFh: each bit that is 0 pulses a line. */

#define KBC_SELF_TEST_PASSED     0x55u
#define KBC_KEYBOARD_TEST_PASSED 0x00u
#define KBC_MOUSE_CLOCK_LOW      0x01u
#define KBC_RESEND               0xfeu /* In place of a keyboard that did not answer. */

static void update_kbc(struct svm_i8042 *kbc)
{
	const struct svm_i8042_state *s = &kbc->state;
	const bool irq = (s->status & KBC_STATUS_DATA) && (s->ram[0] & KBC_CCB_IRQ);
	const bool a20 = s->output_port & KBC_OUTPUT_A20;

	if (irq != kbc->irq_level) {
		kbc->irq_level = irq;
		svm_wire_set(&kbc->wires.irq, irq);
	}
	if (a20 != kbc->a20_level) {
		kbc->a20_level = a20;
		svm_wire_set(&kbc->wires.a20, a20);
	}
}

static void kbc_answer(struct svm_i8042_state *s, uint8_t data)
{
	s->data = data;
	s->status = (uint8_t)((s->status & ~KBC_STATUS_TIMEOUT) | KBC_STATUS_DATA);
}

static void kbc_answer_timeout(struct svm_i8042_state *s)
{
	kbc_answer(s, KBC_RESEND);
	s->status |= KBC_STATUS_TIMEOUT;
}

static void set_output_port(struct svm_i8042 *kbc, uint8_t value)
{
	kbc->state.output_port = KBC_OUTPUT_RUN | (value & KBC_OUTPUT_A20);
	if (!(value & KBC_OUTPUT_RUN))
		svm_wire_pulse(&kbc->wires.reset);
}

/* A machine without the line has A20 on, and its guest can see that. */
static uint8_t get_output_port(const struct svm_i8042 *kbc)
{
	const uint8_t data = kbc->state.status & KBC_STATUS_DATA ? KBC_OUTPUT_DATA : 0;
	const uint8_t a20 = kbc->wires.a20.set ? 0 : KBC_OUTPUT_A20;

	return KBC_OUTPUT_IDLE | kbc->state.output_port | data | a20;
}

/* Commands that have no byte after them. */
static void execute_kbc(struct svm_i8042 *kbc, uint8_t command)
{
	struct svm_i8042_state *s = &kbc->state;

	switch (command) {
	case KBC_CMD_MOUSE_OFF:
		s->ram[0] |= KBC_CCB_NO_MOUSE;
		break;
	case KBC_CMD_MOUSE_ON:
		s->ram[0] &= (uint8_t)~KBC_CCB_NO_MOUSE;
		break;
	case KBC_CMD_MOUSE_TEST:
		kbc_answer(s, KBC_MOUSE_CLOCK_LOW);
		break;
	case KBC_CMD_SELF_TEST:
		s->ram[0] |= KBC_CCB_SYSTEM;
		kbc_answer(s, KBC_SELF_TEST_PASSED);
		break;
	case KBC_CMD_KEYBOARD_TEST:
		kbc_answer(s, KBC_KEYBOARD_TEST_PASSED);
		break;
	case KBC_CMD_KEYBOARD_OFF:
		s->ram[0] |= KBC_CCB_NO_KEYBOARD;
		break;
	case KBC_CMD_KEYBOARD_ON:
		s->ram[0] &= (uint8_t)~KBC_CCB_NO_KEYBOARD;
		break;
	case KBC_CMD_READ_INPUT:
		kbc_answer(s, KBC_INPUT_UNLOCKED);
		break;
	case KBC_CMD_READ_OUTPUT:
		kbc_answer(s, get_output_port(kbc));
		break;
	case KBC_CMD_A20_OFF:
		s->output_port &= (uint8_t)~KBC_OUTPUT_A20;
		break;
	case KBC_CMD_A20_ON:
		s->output_port |= KBC_OUTPUT_A20;
		break;
	case KBC_CMD_TEST_INPUTS:
		kbc_answer(s, 0);
		break;
	default:
		break;
	}
}

static bool kbc_takes_a_byte(uint8_t command)
{
	if (command >= KBC_CMD_WRITE_RAM && command < KBC_CMD_WRITE_RAM + 32)
		return true;
	return command >= KBC_CMD_WRITE_OUTPUT && command <= KBC_CMD_TO_MOUSE;
}

static void write_kbc_command(struct svm_i8042 *kbc, uint8_t command)
{
	struct svm_i8042_state *s = &kbc->state;

	s->status |= KBC_STATUS_COMMAND;
	s->command = kbc_takes_a_byte(command) ? command : 0;
	if (command >= KBC_CMD_READ_RAM && command < KBC_CMD_READ_RAM + 32)
		kbc_answer(s, s->ram[command % 32]);
	else if (command >= KBC_CMD_PULSE && !(command & KBC_OUTPUT_RUN))
		svm_wire_pulse(&kbc->wires.reset);
	else
		execute_kbc(kbc, command);
}

static void write_kbc_data(struct svm_i8042 *kbc, uint8_t value)
{
	struct svm_i8042_state *s = &kbc->state;
	const uint8_t command = s->command;

	s->status &= (uint8_t)~KBC_STATUS_COMMAND;
	s->command = 0;
	switch (command) {
	case 0: /* to the keyboard, which it switches on */
		s->ram[0] &= (uint8_t)~KBC_CCB_NO_KEYBOARD;
		kbc_answer_timeout(s);
		break;
	case KBC_CMD_WRITE_OUTPUT:
		set_output_port(kbc, value);
		break;
	case KBC_CMD_ECHO_KEYBOARD:
	case KBC_CMD_ECHO_MOUSE:
		kbc_answer(s, value);
		break;
	case KBC_CMD_TO_MOUSE:
		kbc_answer_timeout(s);
		break;
	default:
		s->ram[command % 32] = value;
	}
}

static uint8_t read_kbc_data(struct svm_i8042_state *s)
{
	s->status &= (uint8_t) ~(KBC_STATUS_DATA | KBC_STATUS_TIMEOUT);
	return s->data;
}

static uint8_t read_kbc_status(const struct svm_i8042_state *s)
{
	const uint8_t system = s->ram[0] & KBC_CCB_SYSTEM ? KBC_STATUS_SYSTEM : 0;

	return s->status | KBC_STATUS_UNLOCKED | system;
}

static uint8_t read_kbc_byte(struct svm_i8042_state *s, uint32_t offset)
{
	switch (offset) {
	case KBC_DATA:
		return read_kbc_data(s);
	case KBC_COMMAND:
		return read_kbc_status(s);
	default:
		return 0xff;
	}
}

uint32_t svm_i8042_read(struct svm_i8042 *kbc, uint32_t offset, uint32_t size)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < size && i < 4; i++)
		value |= (uint32_t)read_kbc_byte(&kbc->state, offset + i) << 8 * i;
	update_kbc(kbc);
	return value;
}

void svm_i8042_write(struct svm_i8042 *kbc, uint32_t offset, uint32_t size, uint32_t value)
{
	for (uint32_t i = 0; i < size && i < 4; i++) {
		const uint8_t byte = (uint8_t)(value >> 8 * i);

		if (offset + i == KBC_DATA)
			write_kbc_data(kbc, byte);
		else if (offset + i == KBC_COMMAND)
			write_kbc_command(kbc, byte);
	}
	update_kbc(kbc);
}

void svm_i8042_reset(struct svm_i8042 *kbc)
{
	kbc->state = (struct svm_i8042_state){
		.ram[0] = KBC_CCB_IRQ | KBC_CCB_SYSTEM | KBC_CCB_NO_MOUSE | KBC_CCB_TRANSLATE,
		.output_port = KBC_OUTPUT_RUN | KBC_OUTPUT_A20,
	};
	update_kbc(kbc);
}

void svm_i8042_init(struct svm_i8042 *kbc, const struct svm_i8042_wires *wires)
{
	memset(kbc, 0, sizeof(*kbc));
	if (wires)
		kbc->wires = *wires;
	kbc->a20_level = true;
	svm_i8042_reset(kbc);
}

void svm_i8042_save(const struct svm_i8042 *kbc, struct svm_i8042_state *state)
{
	*state = kbc->state;
}

static bool kbc_state_is_valid(const struct svm_i8042_state *s)
{
	if (s->status & ~KBC_STATUS_KEPT || (s->command && !kbc_takes_a_byte(s->command)))
		return false;
	if ((s->status & KBC_STATUS_TIMEOUT) && !(s->status & KBC_STATUS_DATA))
		return false;
	if ((s->output_port | KBC_OUTPUT_A20) != (KBC_OUTPUT_RUN | KBC_OUTPUT_A20))
		return false;
	return !s->reserved[0] && !s->reserved[1] && !s->reserved[2] && !s->reserved[3];
}

int svm_i8042_restore(struct svm_i8042 *kbc, const struct svm_i8042_state *state)
{
	const struct svm_i8042_state copy = *state;

	if (!kbc_state_is_valid(&copy))
		return SVM_ERR_INVAL;
	kbc->state = copy;
	update_kbc(kbc);
	return 0;
}
