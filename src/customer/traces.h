/* Nothing stays behind on the customer's machine (SECURITY.md S13): what GTK and its libraries would write.
 */
#pragma once

/* Before gtk_init() and before there are threads: changes this process's environment. */
void traces_prevent(void);
