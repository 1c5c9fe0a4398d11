#pragma once

/* What the customer's windows have beyond ui/look.h's style sheet. After ui_look_init(), once. */
void style_init(void);
