#include "ui/text.h"

#include "ui/mo.h"
#include "ui/text_private.h"

#include <stdatomic.h>
#include <stdlib.h>

enum language { NOT_ASKED, ENGLISH, JAPANESE };

/* What the whole program speaks. */
static atomic_int language_in_force = NOT_ASKED;

/* ---- which language ---- */

static bool is_word(const char *word, size_t len, const char *other) {
    return strlen(other) == len && memcmp(word, other, len) == 0;
}

/* Of "ja", "ja_JP.UTF-8", "ja.eucJP", "ja@x". NOT_ASKED: one that we do not speak. */
static enum language language_of(const char *locale, size_t len) {
    size_t end = 0;
    while (end < len && !strchr("_.@", locale[end]))
        end++;
    if (is_word(locale, end, "ja"))
        return JAPANESE;
    if (is_word(locale, end, "en") || is_word(locale, end, "C") || is_word(locale, end, "POSIX"))
        return ENGLISH;
    return NOT_ASKED;
}

/* LANGUAGE is a list: the first that we speak. */
static enum language first_of(const char *list) {
    while (*list) {
        size_t len = strcspn(list, ":");
        enum language found = language_of(list, len);
        if (found != NOT_ASKED)
            return found;
        list += len + (list[len] == ':');
    }
    return NOT_ASKED;
}

static const char *locale_in_force(void) {
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return "C";
}

/* As gettext does: LANGUAGE counts unless the locale is "C" itself ("C.UTF-8" is another). */
static enum language language_of_system(void) {
    const char *locale = locale_in_force(), *list = getenv("LANGUAGE");
    enum language found = NOT_ASKED;
    if (strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
        return ENGLISH;
    if (list && *list)
        found = first_of(list);
    else
        found = language_of(locale, strlen(locale));
    return found == JAPANESE ? JAPANESE : ENGLISH;
}

static enum language language_now(void) {
    int now = atomic_load(&language_in_force);
    if (now == NOT_ASKED) {
        now = (int)language_of_system();
        atomic_store(&language_in_force, now);
    }
    return (enum language)now;
}

/* ---- what others ask ---- */

void ui_language_set(const char *language) {
    enum language wanted = ENGLISH;
    if (!language)
        wanted = language_of_system();
    else if (strcmp(language, "ja") == 0)
        wanted = JAPANESE;
    atomic_store(&language_in_force, (int)wanted);
}

const char *ui_language(void) {
    return language_now() == JAPANESE ? "ja" : "en";
}

const char *ui_text(const char *english) {
    if (language_now() != JAPANESE || !*english) /* the empty text's translation is the catalogue's header */
        return english;
    const char *found = ui_mo_find(tas_bytes_of(ui_mo_ja, ui_mo_ja_len), english);
    return found && *found ? found : english;
}
