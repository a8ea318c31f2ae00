/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_RECORDER_H
#define LIBSVM_RECORDER_H
/**
 * @file
 * @brief The flight recorder: the last exits of each vCPU, always on, readable while it runs.
 *
 * Three forms leave the machine, and all of them can be read on any other: text for eyes and logs,
 * binary for files, and the binary in hexadecimal digits for consoles.
 *
 * **Binary**: a ::svm_recorder_header, then @c count records, oldest first; little-endian.  Readers
 * take both sizes from the header, so that later versions can lengthen either.
 *
 * **Text**: a line that begins with the word @c svm-recorder, then one line for each record that
 * begins with @c svm-record.  Behind the word stand pairs KEY=VALUE in the order of the tables
 * below, one space before each.  Values are hexadecimal without prefix where the table says HEX,
 * decimal where it says DEC, and names where it says CODE (of an exit code) or KIND (of an exit);
 * "-" is no name.  Readers skip whatever stands before the word in its line (a time, a log level),
 * lines without either word, and keys that they do not know.
 *
 * **Hexadecimal**: lines of the word @c svm-hex and 128 digits, of which the first line is the
 * header and each further one a record: 64 bytes, lowest address first, two digits a byte.  Readers
 * skip as above; the bytes of all lines in order are the binary form.
 */
#include <libsvm/exit.h>
#include <libsvm/vcpu.h>

/** @addtogroup svm_why
 *  @{ */

/** svm_recorder_header.version. */
#define SVM_RECORDER_VERSION 1u

/** svm_recorder_header.magic: "svm-rec" and a NUL. */
#define SVM_RECORDER_MAGIC "svm-rec"

/**
 * What a dump says of its recorder, in the order of the text form: X(member, key, form, text).
 */
#define SVM_RECORDER_FIELDS(X)                                                                     \
	X(version, "version", DEC, "of the format")                                                \
	X(vcpu, "vcpu", DEC, "id of the vCPU")                                                     \
	X(capacity, "capacity", DEC, "slots of the recorder; one of them is for the next exit")    \
	X(count, "count", DEC, "records that follow")                                              \
	X(recorded, "recorded", DEC, "exits recorded since the vCPU was made")                     \
	X(tsc_hz, "tsc_hz", DEC, "ticks of tsc in a second")

/** Head of a dump; 64 bytes. */
struct svm_recorder_header {
	char magic[8];         /**< ::SVM_RECORDER_MAGIC. */
	uint32_t version;      /**< ::SVM_RECORDER_VERSION. */
	uint32_t header_size;  /**< Bytes of this header: 64. */
	uint32_t record_size;  /**< Bytes of a record: 64. */
	uint32_t vcpu;         /**< Id of the vCPU. */
	uint32_t capacity;     /**< Slots of the recorder, one for the next exit: a power of two. */
	uint32_t count;        /**< Records that follow. */
	uint64_t recorded;     /**< Exits recorded since the vCPU was made. */
	uint64_t tsc_hz;       /**< Ticks of svm_record.tsc in a second. */
	uint8_t reserved[16];  /**< 0. */
};
SVM_STATIC_ASSERT(sizeof(struct svm_recorder_header) == 64, "part of the format");

/**
 * What a record says, in the order of the text form: X(member, key, form, text).
 */
#define SVM_RECORD_FIELDS(X)                                                                       \
	X(number, "n", DEC, "number of the exit, from 0 when the vCPU was made")                   \
	X(tsc, "tsc", HEX, "the host's TSC soon after the exit")                                   \
	X(exit_code, "code", HEX, "EXITCODE, low half")                                            \
	X(exit_code, "name", CODE, "the name of code, for eyes")                                   \
	X(rip, "rip", HEX, "the guest's RIP")                                                      \
	X(exit_info_1, "info1", HEX, "EXITINFO1")                                                  \
	X(exit_info_2, "info2", HEX, "EXITINFO2")                                                  \
	X(exit_int_info, "intinfo", HEX, "EXITINTINFO if its bit V is set, else 0")                \
	X(advanced, "advanced", DEC, "1: the instruction was finished and RIP moved past it")      \
	X(event, "event", HEX, "EVENTINJ of the entry behind this exit, or 0")                     \
	X(kind, "kind", KIND, "the exit that the embedder got; none: it went on")

/** One exit; 64 bytes. */
struct svm_record {
	uint64_t number;        /**< Of the exit, from 0 when the vCPU was made. */
	uint64_t tsc;           /**< The host's TSC soon after the exit. */
	uint32_t exit_code;     /**< SVM_EXIT_*; the low half of EXITCODE. */
	uint8_t advanced;       /**< 1: the instruction was finished and RIP moved past it. */
	uint8_t kind;           /**< enum svm_exit_kind; 0: the guest went on. */
	uint8_t has_event;      /**< 1: @c event is not 0. */
	uint8_t has_int_info;   /**< 1: @c exit_int_info is not 0. */
	uint64_t rip;           /**< The guest's, at the exit. */
	uint64_t exit_info_1;   /**< As the processor wrote it; for most codes undefined. */
	uint64_t exit_info_2;   /**< The same. */
	uint64_t exit_int_info; /**< SVM_EVENT_*: the delivery that the exit interrupted, or 0. */
	uint64_t event;         /**< SVM_EVENT_*: injected by the entry behind this exit, or 0. */
};
SVM_STATIC_ASSERT(sizeof(struct svm_record) == 64, "part of the format");

/** Characters that a line of text or of hexadecimal digits takes at most, NUL included. */
#define SVM_RECORD_LINE 320u

/**
 * @brief Describe a vCPU's recorder.
 * @param vcpu         Any, running or not.
 * @param[out] header  Filled; @c count is what svm_recorder_read() from 0 would give now.
 * @par Context
 * Any thread, I.
 */
void svm_recorder_describe(const struct svm_vcpu *vcpu, struct svm_recorder_header *header);

/**
 * @brief Copy records, oldest first; the vCPU may run meanwhile.
 *
 * Each record is whole.  What is gone already is left out: the first record's @c number says where
 * the copy begins, and the numbers follow each other.  While the guest runs, the newest record's
 * @c advanced, @c kind and @c event may be yet to come, and the oldest may be overwritten before it
 * is read, so one record less than the capacity is what is kept for readers.
 *
 * @param vcpu          Any, running or not.
 * @param first         Number of the first record that is wanted; 0: all.
 * @param[out] records  Room for @p room records.
 * @param room          The oldest that fit are given; ask again from the last number + 1.
 * @return Records written.
 * @par Context
 * Any thread, I.
 */
size_t svm_recorder_read(const struct svm_vcpu *vcpu, uint64_t first, struct svm_record *records,
                         size_t room);

/**
 * @brief The header as a line of the text form, without its newline.
 * @param header  Any.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer; ::SVM_RECORD_LINE is enough.
 * @return Characters that the whole line takes, without the NUL.
 * @par Context
 * Any.
 */
size_t svm_recorder_text(const struct svm_recorder_header *header, char *buffer, size_t size);

/** @brief A record as a line of the text form.  As svm_recorder_text(). */
size_t svm_record_text(const struct svm_record *record, char *buffer, size_t size);

/**
 * @brief A header or a record as a line of the hexadecimal form.  As svm_recorder_text().
 * @param unit    64 bytes: a header or a record.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer; ::SVM_RECORD_LINE is enough.
 */
size_t svm_recorder_hex(const void *unit, char *buffer, size_t size);

/** @} */

#endif
