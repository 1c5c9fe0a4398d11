#include "operator/post.h"

bool post_is_flood(struct post *post, uint64_t now_us) {
    if (post->taken_us != 0 && now_us - post->taken_us < POST_PAUSE_US)
        return true;
    post->taken_us = now_us;
    return false;
}

struct tas_json *post_put(struct post *post, uint64_t session, struct tas_json *info) {
    if (!post->is_under_way) {
        post->is_under_way = true;
        post->session = session;
        return info;
    }
    tas_json_free(post->next);
    post->next = info;
    post->next_session = session;
    return NULL;
}

struct tas_json *post_answered(struct post *post) {
    struct tas_json *info = post->next;
    post->next = NULL;
    post->is_under_way = info != NULL;
    if (info)
        post->session = post->next_session;
    return info;
}

void post_forget(struct post *post) {
    tas_json_free(post->next);
    post->next = NULL;
    post->taken_us = 0;
}
