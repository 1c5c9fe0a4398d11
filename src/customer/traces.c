#include "customer/traces.h"

#include <fontconfig/fontconfig.h>
#include <gtk/gtk.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A path below which nobody can create anything. */
#define NOWHERE "/dev/null/none"

static const struct {
    const char *name, *value;
} variables[] = {
    {"XDG_CACHE_HOME", NOWHERE},     /* fonts, icons, shaders */
    {"GSETTINGS_BACKEND", "memory"}, /* sizes and folders of dialogs */
    {"GIO_USE_VFS", "local"},        /* no helper programs that keep what they saw of files */
    {"GDK_GL", "disable"},           /* no driver with a shader cache; nothing here is drawn by one */
    {"MESA_SHADER_CACHE_DISABLE", "true"},
};

/* Without a session bus libraries start one, which would outlive us and leave a file in the home folder. */
static void keep_from_starting_a_bus(void) {
    char path[4096];
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (getenv("DBUS_SESSION_BUS_ADDRESS"))
        return;
    if (folder && snprintf(path, sizeof(path), "%s/bus", folder) < (int)sizeof(path) &&
        access(path, F_OK) == 0)
        return;
    (void)setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1);
}

void traces_prevent(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
        (void)setenv(variables[i].name, variables[i].value, 1);
    keep_from_starting_a_bus();
    FcConfigEnableHome(FcFalse); /* fontconfig would fall back to a folder in the home folder */
}
