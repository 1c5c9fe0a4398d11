#include "lossy/video_private.h"

#include <unistd.h>

const struct tas_video_kind *tas_video_kind_here(void) {
#if defined(__x86_64__) || defined(__i386__)
    bool is_strong = __builtin_cpu_supports("avx2") && sysconf(_SC_NPROCESSORS_ONLN) >= 4;
    return is_strong ? &tas_video_vp9 : &tas_video_vp8;
#else
    return &tas_video_vp8; /* not measured */
#endif
}
