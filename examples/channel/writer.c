/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Publishes the channel "talk", asks for the squares of 1 to 100, one after the other, and checks
 * the answers.
 */
#include "guest.h"

/* The reader may come later than we do: until then nobody is rung at. */
static void ask(int channel, uint32_t question)
{
	TALK->question = question;
	while (call(SVM_CHANNEL_RING, (uint32_t)channel, 0, 0, 0) == 0)
		pause();
}

int guest_main(void)
{
	const int channel = find_channel();
	uint32_t seen = 0;

	if (channel < 0 || call(SVM_CHANNEL_PUBLISH, (uint32_t)channel, SHARED, DOORBELL, 0)) {
		print("writer: cannot publish\n");
		return 1;
	}
	for (uint32_t i = 1; i <= QUESTIONS; i++) {
		ask(channel, i);
		wait_for_doorbell(&seen);
		if (TALK->answer != i * i) {
			print("writer: a wrong answer\n");
			return 2;
		}
	}
	ask(channel, GOODBYE);
	print("writer: 100 questions, 100 answers\n");
	return call(SVM_CHANNEL_UNSUBSCRIBE, (uint32_t)channel, 0, 0, 0) ? 3 : 0;
}
