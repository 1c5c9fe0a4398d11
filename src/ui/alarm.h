/* What the engine (src/session) and the flow (src/tool) say when somebody may be attacking: English sentences
 * that go into logs and records as they are. For people they are in the language in force. */
#pragma once

/* Without a full stop. Static, or `english` itself when nobody has words for it (tests/unit/test_ui_alarm.py
 * sees to it that there are). */
const char *ui_alarm(const char *english);
