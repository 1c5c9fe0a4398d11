/* The texts that embed.py makes of the files beside it. */
#pragma once

extern const char download_page_ja_html[], download_page_en_html[], download_style_css[],
    download_favicon_svg[];
