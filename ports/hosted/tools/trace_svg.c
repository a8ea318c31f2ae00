/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A timeline that any browser shows, and a mail can carry: no script, a title under each bar.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <libsvm/vmcb.h>

#include "exit_text.h"
#include "trace_print.h"

#define WIDTH       1200.0
#define LEFT        80.0
#define TOP         40.0
#define LANE        44.0
#define BAR         30.0
#define LEGEND_STEP 130.0
#define LEGEND_LINE 18.0
#define CODES_MOST  14 /* With a colour of their own; the rest share the last. */

static const char *const colors[CODES_MOST + 1] = {
	"#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#eeca3b", "#b279a2", "#ff9da6",
	"#9d755d", "#1f77b4", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#bab0ac",
};

/* The codes in the order in which they come up. */
struct legend {
	uint32_t codes[CODES_MOST];
	size_t count;
	bool has_others;
};

static size_t color_of(struct legend *legend, uint32_t code)
{
	for (size_t i = 0; i < legend->count; i++)
		if (legend->codes[i] == code)
			return i;
	if (legend->count == CODES_MOST) {
		legend->has_others = true;
		return CODES_MOST;
	}
	legend->codes[legend->count] = code;
	return legend->count++;
}

static double end_of_time(const struct trace *trace, const struct trace_clock *clock)
{
	double end = 1;

	for (size_t i = 0; i < trace->dump_count; i++) {
		const struct trace_dump *dump = &trace->dumps[i];

		for (size_t j = dump->first; j < dump->first + dump->count; j++) {
			const double time = trace_time(clock, dump, j, &trace->exits[j]) +
			                    trace_length(clock, dump, &trace->exits[j]);

			if (time > end)
				end = time;
		}
	}
	return end;
}

/* Names and phrases are of this program's own words: none has a character that XML reserves. */
static void print_bar(FILE *out, const struct trace_exit *exit, double x, double width, double y,
                      const char *color)
{
	char name[EXIT_NAME_SIZE], details[EXIT_TEXT_SIZE];

	fprintf(out,
	        "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\" "
	        "fill=\"%s\"><title>%" PRIu64 " %s at %" PRIX64 "h %s</title></rect>\n",
	        x, y, width, BAR, color, exit->record.number,
	        exit_name(exit->record.exit_code, name), exit->record.rip,
	        exit_details(&exit->record, details));
	if (exit->record.event & SVM_EVENT_VALID)
		fprintf(out,
		        "<path d=\"M%.2f %.1fl-3 -6h6z\" fill=\"#000\"><title>injected: %s</title>"
		        "</path>\n",
		        x + width, y, exit_event(exit->record.event, name));
}

static void print_lane(FILE *out, const struct trace *trace, const struct trace_clock *clock,
                       size_t lane, double scale, struct legend *legend)
{
	const struct trace_dump *dump = &trace->dumps[lane];
	const double y = TOP + LANE * (double)lane;

	fprintf(out, "<text x=\"4\" y=\"%.1f\">vcpu %" PRIu32 "</text>\n", y + BAR * 0.65,
	        dump->header.vcpu);
	for (size_t j = dump->first; j < dump->first + dump->count; j++) {
		const struct trace_exit *exit = &trace->exits[j];
		const double width = trace_length(clock, dump, exit) * scale;

		print_bar(out, exit, LEFT + trace_time(clock, dump, j, exit) * scale,
		          width > 0.4 ? width : 0.4, y,
		          colors[color_of(legend, exit->record.exit_code)]);
	}
}

static void print_legend(FILE *out, const struct legend *legend, double y)
{
	for (size_t i = 0; i < legend->count + legend->has_others; i++) {
		const double x = LEFT + LEGEND_STEP * (double)(i % 8);
		const double line = y + LEGEND_LINE * (double)(i / 8);
		char name[EXIT_NAME_SIZE];

		fprintf(out,
		        "<rect x=\"%.0f\" y=\"%.0f\" width=\"10\" height=\"10\" fill=\"%s\"/>"
		        "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
		        x, line, colors[i], x + 14, line + 9,
		        i < legend->count ? exit_name(legend->codes[i], name) : "others");
	}
}

void trace_print_svg(FILE *out, const struct trace *trace)
{
	const struct trace_clock clock = trace_clock(trace);
	const double end = end_of_time(trace, &clock);
	const double bottom = TOP + LANE * (double)trace->dump_count;
	struct legend legend = { .count = 0 };

	fprintf(out,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
	        "font-family=\"sans-serif\" font-size=\"11\">\n"
	        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
	        "<text x=\"%.0f\" y=\"20\">0</text>"
	        "<text x=\"%.0f\" y=\"20\" text-anchor=\"end\">%.1f %s</text>\n",
	        LEFT + WIDTH + 20, bottom + 50, LEFT, LEFT + WIDTH, end,
	        clock.is_known ? "us" : "exits");
	for (size_t i = 0; i < trace->dump_count; i++)
		print_lane(out, trace, &clock, i, WIDTH / end, &legend);
	print_legend(out, &legend, bottom + 10);
	fputs("</svg>\n", out);
}
