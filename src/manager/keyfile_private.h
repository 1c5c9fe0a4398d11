/* What the reading half (keyfile.c) and the writing half (keymaker.c) of keyfile.h share. */
#pragma once

#include "manager/keyfile.h"

/* Writes "path: what" into `why`; TAS_E_CONFIG. */
int mgr_keyfile_wrong(char why[MGR_KEYFILE_WHY], const char *path, const char *what);

/* TAS_E_CONFIG: not a file, or others may read it, or its group write it. */
TAS_MUST_USE int mgr_keyfile_check_mode(const char *path, char why[MGR_KEYFILE_WHY]);

/* "ticket", "statement", "audit"; `use` is one of TAS_USE_*. */
const char *mgr_keyfile_use_name(uint8_t use);
