/* How numbers, times and rights are written in the operator's windows. Pure but for the language in force. */
#pragma once

#include "operator/state.h"

enum { SAY_NUMBER = 16, SAY_SPAN = 24, SAY_WHEN = 40, SAY_RIGHTS = 240, SAY_SIZE = 32 };

/* "123456782" as "123-456-782"; what is not nine characters stays as it is. */
void say_number(char out[SAY_NUMBER], const char *digits);

/* Of a session whose number is used up: "...-...-782". */
void say_last3(char out[SAY_NUMBER], const char *last3);

/* "9:58", "1:02:03"; negative spans are 0. */
void say_span(char out[SAY_SPAN], int64_t seconds);

/* A moment on this machine's calendar, "2026-11-22 14:05"; "" for 0. */
void say_when(char out[SAY_WHEN], int64_t ms);

/* Rights in words, "See the screen, Control"; "none" for 0. */
void say_rights(char out[SAY_RIGHTS], uint16_t rights);

/* "1.2 MB"; of a rate when `per_second`. */
void say_bytes(char out[SAY_SIZE], uint64_t bytes, bool per_second);

/* What the servers' words mean, in the language in force; the word itself when it is not known. */
const char *say_result(const char *result);     /* "solved", "open", "aborted", "" */
const char *say_end_reason(const char *reason); /* "operator", "customer", "expired" ... */

/* Copies what fits, whole characters of UTF-8 only. */
void say_copy(char *out, size_t cap, const char *text);
