#include "operator/remember.h"

#include "base/log.h"
#include "base/utf8.h"
#include "operator/say.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

static const char group[] = "login";

static gchar *folder_of(void) {
    return g_build_filename(g_get_user_config_dir(), "tasuki", NULL);
}

static gchar *path_of(void) {
    return g_build_filename(g_get_user_config_dir(), "tasuki", "operator.ini", NULL);
}

/* The file may have been edited by anybody who may: bounded and plain, or nothing. */
static void take(GKeyFile *file, const char *key, char *out, size_t cap) {
    gchar *text = g_key_file_get_string(file, group, key, NULL);
    out[0] = '\0';
    if (text && tas_utf8_is_plain(tas_bytes_of(text, strlen(text))))
        say_copy(out, cap, text);
    g_free(text);
}

void remember_load(struct remember *out) {
    GKeyFile *file = g_key_file_new();
    gchar *path = path_of();
    memset(out, 0, sizeof(*out));
    if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
        take(file, "company", out->company, sizeof(out->company));
        take(file, "id", out->id, sizeof(out->id));
        take(file, "language", out->language, sizeof(out->language));
    }
    g_free(path);
    g_key_file_free(file);
}

void remember_save(const struct remember *remember) {
    GKeyFile *file = g_key_file_new();
    gchar *folder = folder_of();
    gchar *path = path_of();
    GError *error = NULL;
    g_key_file_set_string(file, group, "company", remember->company);
    g_key_file_set_string(file, group, "id", remember->id);
    g_key_file_set_string(file, group, "language", remember->language);
    gsize len = 0;
    gchar *text = g_key_file_to_data(file, &len, NULL);
    bool ok = g_mkdir_with_parents(folder, 0700) == 0 &&
              g_file_set_contents_full(path, text, (gssize)len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error);
    if (!ok)
        tas_log(TAS_LOG_WARN, "operator", "not_remembered", "why=\"%s\"", error ? error->message : "folder");
    g_clear_error(&error);
    g_free(text);
    g_free(path);
    g_free(folder);
    g_key_file_free(file);
}
