/* What the operator's windows need beyond the style sheet of both tools (ui/look.h). */
#pragma once

/* Once, after gtk_init(). */
void sheet_init(void);
