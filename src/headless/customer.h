/* `tasuki-headless customer ...` */
#pragma once

/* Takes a number, shares the display, leaves after the session. The exit code. */
int customer_main(int argc, char **argv);
