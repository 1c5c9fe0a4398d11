/* `tasuki-headless operator ...` */
#pragma once

/* Logs in, and works until it is told to leave. The exit code. */
int operator_main(int argc, char **argv);
