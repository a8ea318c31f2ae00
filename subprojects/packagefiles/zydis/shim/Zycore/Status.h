/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in for Zycore's header of the same name.  Bit 31 is "error", bits 30:20 the module, the
 * rest a code; success is therefore not zero, and a status is only ever tested with the macros
 * below.
 */
#ifndef ZYCORE_STATUS_H
#define ZYCORE_STATUS_H

#include <Zycore/Types.h>

typedef ZyanU32 ZyanStatus;

#define ZYAN_MODULE_ZYCORE 0x001u
#define ZYAN_MODULE_ZYDIS 0x002u
#define ZYAN_MAKE_STATUS(error, module, code) \
	((ZyanStatus)((ZyanStatus)(error) << 31 | (ZyanStatus)(module) << 20 | (ZyanStatus)(code)))

#define ZYAN_FAILED(status) (((status) >> 31) != 0)
#define ZYAN_SUCCESS(status) (!ZYAN_FAILED(status))

#define ZYAN_CHECK(call)                                    \
	do {                                                \
		const ZyanStatus zyan_check_status = (call); \
		if (ZYAN_FAILED(zyan_check_status))         \
			return zyan_check_status;           \
	} while (0)

#define ZYAN_STATUS_SUCCESS ZYAN_MAKE_STATUS(0, ZYAN_MODULE_ZYCORE, 0x00)
#define ZYAN_STATUS_INVALID_ARGUMENT ZYAN_MAKE_STATUS(1, ZYAN_MODULE_ZYCORE, 0x04)
#define ZYAN_STATUS_INVALID_OPERATION ZYAN_MAKE_STATUS(1, ZYAN_MODULE_ZYCORE, 0x05)
#define ZYAN_STATUS_MISSING_DEPENDENCY ZYAN_MAKE_STATUS(1, ZYAN_MODULE_ZYCORE, 0x0d)

#endif
