/* Whose tool this is: the section that `tasukictl client make` filled in this very file. */
#pragma once

#include "org/org.h"

/* Reads it from memory; as org_read(). No option, variable or file changes what comes out. */
TAS_MUST_USE int organisation_read(struct org *out, char why[ORG_WHY]);
