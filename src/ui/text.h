/* The words that people see, in their language. English is what stands in the source; po/ja.po has the
 * Japanese. The catalogue is inside the program (a customer's tool is one file), made by msgfmt at build
 * time. */
#pragma once

#include <stddef.h>

/* Marks a text for translation, and gives it in the language in force. Static storage. */
#define _(text) ui_text(text)
/* Marks only: for tables; call ui_text() on it later. */
#define N_(text) (text)

/* A text with printf's placeholders keeps them (po/ja.po is checked for that), in the same order. */
const char *ui_text(const char *english) __attribute__((format_arg(1)));

/* "ja" or "en". Static. */
const char *ui_language(void);

/* NULL: as the system says (LANGUAGE, LC_ALL, LC_MESSAGES, LANG, in gettext's order). Otherwise "ja" or "en";
 * anything else is taken as "en". GTK thread. */
void ui_language_set(const char *language);
