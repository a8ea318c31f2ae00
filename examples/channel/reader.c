/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Subscribes to the channel "talk" as soon as it is published, and answers each doorbell with the
 * square of what it finds there.  Without permission there is no channel.
 */
#include "guest.h"

static int subscribe(int channel)
{
	int error;

	do {
		error = call(SVM_CHANNEL_SUBSCRIBE, (uint32_t)channel, SHARED, DOORBELL, 0);
		pause();
	} while (error == SVM_CHANNEL_EAGAIN);
	return error;
}

int guest_main(void)
{
	const int channel = find_channel();
	uint32_t seen = 0, question;

	if (channel < 0) {
		print("reader: no channel for me\n");
		return 4;
	}
	if (subscribe(channel)) {
		print("reader: cannot subscribe\n");
		return 1;
	}
	for (;;) {
		wait_for_doorbell(&seen);
		question = TALK->question;
		if (question == GOODBYE)
			break;
		TALK->answer = question * question;
		(void)call(SVM_CHANNEL_RING, (uint32_t)channel, 0, 0, 0);
	}
	print("reader: goodbye\n");
	return call(SVM_CHANNEL_UNSUBSCRIBE, (uint32_t)channel, 0, 0, 0) ? 3 : 0;
}
