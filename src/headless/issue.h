/* `tasuki-headless issue ...` */
#pragma once

/* Writes end files with throw-away keys; returns the exit code. */
int issue_main(int argc, char **argv);
