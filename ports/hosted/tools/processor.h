/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_PROCESSOR_H
#define TOOLS_PROCESSOR_H
/*
 * The processor for which a VMCB is judged: a model, a list of features, or /proc/cpuinfo.
 */
#include <stdbool.h>
#include <stdio.h>

#include <libsvm/host.h>

#define PROCESSOR_WHY 160

/* Nothing known: whatever some processor allows is allowed. */
void processor_any(struct svm_features *features);

/* One of processor_models(); false if it is none. */
bool processor_model(struct svm_features *features, const char *name);

/* A line for each model: its name and what it is. */
void processor_models(FILE *out);

/*
 * "npt,nrips" (these of SVM and no others), or "+x,-y" (what was known, changed).  Names are those
 * of svm_feature_name() and of Linux, in any case, with - or _.
 */
bool processor_features(struct svm_features *features, char *list, char why[PROCESSOR_WHY]);

/* A line for each name that processor_features() knows. */
void processor_names(FILE *out);

/* What Linux prints of the first processor: flags and widths of addresses. */
bool processor_cpuinfo(struct svm_features *features, FILE *cpuinfo, char why[PROCESSOR_WHY]);

#endif
