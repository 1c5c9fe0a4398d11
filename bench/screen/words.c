#include "words.h"

#include "natural.h"

#include <stdio.h>
#include <string.h>

enum { LINES = 6, LINES_AT_ONCE = 4 };

static const char *const lines[WORDS_KINDS][LINES] = {
    {
        "The second printer prints everything twice since it was moved to the other room.",
        "Could you open the control panel, please, and tell me what it says below Network?",
        "We have seen error 0x80070057 three times this week, always after the backup.",
        "After the update the spreadsheet opens in 14 seconds; before, it took 3.",
        "I will restart the service now, so that your mail comes back within a minute.",
        "Total 1,284,500 JPY, tax included; delivered on 12 March, 18 of 20 boxes.",
    },
    {
        "お手数ですが、画面の右上にあるメニューから設定を開いてください。",
        "プリンターの電源を入れ直すと、印刷待ちの書類が消えることがあります。",
        "昨日の更新のあと、表計算ソフトの起動に十四秒かかるようになりました。",
        "受付番号は三十分間有効です。期限が切れたら、もう一度発行します。",
        "パスワードの変更が済みましたら、一度ログアウトして確認しましょう。",
        "合計は税込みで1,284,500円、納品は三月十二日の予定です。",
    },
    {
        "static int find(const struct table *t, uint32_t key, size_t *at) {",
        "    for (size_t i = hash(key) & t->mask; t->slots[i].key != key; i++)",
        "        if (t->slots[i].key == EMPTY) return -ENOENT;",
        "SELECT name, SUM(amount) FROM invoices WHERE year = 2026 GROUP BY name;",
        "$ journalctl --since yesterday --unit cups | grep -i 'error\\|fail'",
        "}   // 0x7fff5fbff8a0: 48 89 e5 53 48 83 ec 18",
    },
};

const char *words_line(enum words_kind kind, uint32_t which) {
    return lines[kind][which % LINES];
}

void words_paragraph(char *out, size_t cap, enum words_kind kind, uint32_t *seed) {
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < LINES_AT_ONCE; i++) {
        const char *line = words_line(kind, natural_random(seed));
        const char *gap = i > 0 && kind != WORDS_JAPANESE ? " " : "";
        if (len + strlen(gap) + strlen(line) >= cap)
            return;
        len += (size_t)snprintf(out + len, cap - len, "%s%s", gap, line);
    }
}
