#include "headless/print.h"

#include "base/time.h"
#include "headless/io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the engine ---- */

static void say_peer(const struct tas_peer *peer) {
    char *company = tas_json_string(tas_bytes_of(peer->company, strlen(peer->company)));
    char *name = tas_json_string(tas_bytes_of(peer->name, strlen(peer->name)));
    headless_say("peer", ",\"company\":%s,\"name\":%s,\"perms\":%u,\"kind\":%u", company, name, peer->perms,
                 peer->kind);
    free(company);
    free(name);
}

void print_event(const struct tas_event *ev) {
    char *text = NULL;
    switch (ev->kind) {
    case TAS_EVENT_STATE:
        headless_say("state", ",\"from\":\"%s\",\"state\":\"%s\",\"at_us\":%" PRIu64,
                     tas_state_name(ev->from), tas_state_name(ev->state), tas_mono_us());
        break;
    case TAS_EVENT_PEER:
        say_peer(&ev->peer);
        break;
    case TAS_EVENT_CODE_WRONG:
        headless_say("code_wrong", ",\"tries_left\":%u", ev->number);
        break;
    case TAS_EVENT_CHAT:
        text = tas_json_string(ev->data);
        headless_say("chat", ",\"text\":%s", text);
        free(text);
        break;
    case TAS_EVENT_ALARM:
        headless_say("alarm", ",\"text\":\"%s\"", ev->text);
        break;
    case TAS_EVENT_REFUSED:
        headless_say("refused", ",\"text\":\"%s\"", ev->text);
        break;
    case TAS_EVENT_CLOSED:
        headless_say("closed", ",\"reason\":%u,\"text\":\"%s\"", ev->number, tas_end_reason_text(ev->number));
        break;
    case TAS_EVENT_CHECK_CODE:
        headless_say("check_code", ",\"code\":\"%s\"", ev->text);
        break;
    case TAS_EVENT_ASKED:
        headless_say("asked", ",\"rights\":%u", ev->number);
        break;
    case TAS_EVENT_VIEW:
        headless_say("view", ",\"on\":%s", ev->flag ? "true" : "false");
        break;
    case TAS_EVENT_SCREEN:
        headless_say("screen", ",\"width\":%u,\"height\":%u", ev->width, ev->height);
        break;
    case TAS_EVENT_GRANTS:
        headless_say("grants", ",\"rights\":%u,\"paused\":%s", ev->number, ev->flag ? "true" : "false");
        break;
    case TAS_EVENT_CURSOR_IMAGE:
        headless_say("cursor_image", ",\"id\":%u,\"width\":%u,\"height\":%u", ev->cursor.image,
                     ev->cursor.width, ev->cursor.height);
        break;
    case TAS_EVENT_DEVICE:
        text = tas_json_string(ev->data);
        headless_say("device", ",\"text\":%s", text);
        free(text);
        break;
    default:
        break;
    }
}

void print_figures(struct tas_session *s) {
    struct tas_session_figures f;
    tas_session_figures(s, &f, tas_mono_us());
    headless_say("figures",
                 ",\"rate_Bps\":%" PRIu64 ",\"min_rtt_us\":%" PRIu64 ",\"last_rtt_us\":%" PRIu64
                 ",\"window\":%zu,\"in_flight\":%zu,\"chunk\":%zu,\"relay\":%u,\"resumes\":%u,\"screen_"
                 "bytes\":%" PRIu64 ",\"frames\":%u,\"state\":\"%s\"",
                 f.rate_Bps, f.min_rtt_us, f.last_rtt_us, f.window, f.in_flight, f.chunk, f.relay_id,
                 f.resumes, f.screen_bytes, f.frames, tas_state_name(tas_session_state(s)));
}

bool print_command(struct tas_session *s, const char *word, const char *rest) {
    if (strcmp(word, "figures") == 0) {
        print_figures(s);
        return true;
    }
    if (strcmp(word, "chat") != 0)
        return false;
    int err = tas_session_chat(s, tas_bytes_of(rest, strlen(rest)), tas_wall_ms());
    if (err != TAS_OK)
        headless_say("error", ",\"command\":\"chat\",\"text\":\"%s\"", tas_err_text(err));
    return true;
}

/* ---- the management server ---- */

static void print_error(const char *command, const struct api_error *error) {
    struct tas_json *json = headless_event("error");
    if (command)
        tas_json_set_text(json, "command", command);
    tas_json_set_text(json, "code", error->code);
    tas_json_set_text(json, "text", error->detail);
    if (error->retry_after_s >= 0)
        tas_json_set_int(json, "retry_after_s", error->retry_after_s);
    headless_tell(json);
}

static void print_line(const struct tool_news *news) {
    struct tas_json *json = headless_event(news->flag ? "connected" : "disconnected");
    if (news->text)
        tas_json_set_text(json, "server", news->text);
    if (news->error)
        tas_json_set_text(json, "text", news->error->detail);
    headless_tell(json);
}

static void print_measured(const struct tool_news *news) {
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < news->n; i++) {
        struct tas_json *one = tas_json_object();
        tas_json_set_int(one, "relay", news->rtts[i].relay);
        tas_json_set_int(one, "us", news->rtts[i].us);
        tas_json_add(list, one);
    }
    struct tas_json *json = headless_event("measured");
    tas_json_set(json, "rtt", list);
    headless_tell(json);
}

static void print_text(const char *event, const char *text) {
    struct tas_json *json = headless_event(event);
    tas_json_set_text(json, "text", text);
    headless_tell(json);
}

static void print_ended(const struct tool_news *news) {
    struct tas_json *json = headless_event("ended");
    tas_json_set_id(json, news->flag ? "claim" : "session", news->id);
    tas_json_set_bool(json, "stored", news->error->err == TAS_OK);
    if (news->error->err != TAS_OK)
        tas_json_set_text(json, "text", news->error->detail);
    headless_tell(json);
}

/* ---- the customer's ---- */

static void print_company(const struct tool_news *news) {
    struct tas_json *json = headless_event("company");
    tas_json_set_text(json, "name", news->text);
    tas_json_set_id(json, "claim", news->id);
    headless_tell(json);
}

static void print_operator(const struct tool_news *news) {
    struct tas_json *json = headless_event("operator");
    tas_json_set_text(json, "name", news->name);
    tas_json_set_text(json, "company", news->text);
    tas_json_set_bool(json, "signed", news->flag);
    headless_tell(json);
}

static void print_no_display(const struct tool_news *news) {
    fprintf(stderr, "tasuki-headless: %s\n", news->text);
    struct tas_json *json = headless_event("error");
    if (news->command) {
        tas_json_set_text(json, "command", news->command);
        tas_json_set_text(json, "code", "no_display");
    }
    tas_json_set_text(json, "text",
                      news->command ? "the display cannot be shared; standard error says why" : news->text);
    headless_tell(json);
}

/* ---- the operator's ---- */

static void set_if(struct tas_json *json, const char *name, const char *text) {
    if (*text)
        tas_json_set_text(json, name, text);
}

static struct tas_json *visitors_json(const struct api_session *s) {
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < s->n_visitors; i++) {
        const struct api_visitor *v = &s->visitors[i];
        struct tas_json *one = tas_json_object();
        tas_json_set_id(one, "id", v->id);
        tas_json_set_text(one, "state", api_claim_state_word(v->state));
        tas_json_set_text(one, "host_name", v->host_name);
        tas_json_set_text(one, "os", v->os);
        tas_json_set_text(one, "address", v->address);
        tas_json_set_text(one, "language", v->language);
        tas_json_add(list, one);
    }
    return list;
}

static void fill_session(struct tas_json *json, const struct api_session *s) {
    tas_json_set_id(json, "session", s->id);
    tas_json_set_text(json, "state", api_session_state_word(s->state));
    set_if(json, "number", s->number);
    tas_json_set_int(json, "issued_at", s->issued_at);
    tas_json_set_int(json, "expires_at", s->expires_at);
    set_if(json, "customer", s->customer);
    set_if(json, "reason", s->reason);
    set_if(json, "ticket_no", s->ticket_no);
    set_if(json, "end_reason", s->end_reason);
    set_if(json, "result", s->result);
    set_if(json, "note", s->note);
    tas_json_set(json, "claims", visitors_json(s));
}

static void print_session(const struct tool_news *news) {
    static const struct {
        const char *command, *event;
    } events[] = {{"issue", "issued"},
                  {"cancel", "cancelled"},
                  {"answer", "answered"},
                  {"refuse", "claim_refused"},
                  {"result", "result"}};
    const char *event = "session";
    for (size_t i = 0; news->command && i < sizeof(events) / sizeof(events[0]); i++)
        if (strcmp(news->command, events[i].command) == 0)
            event = events[i].event;
    struct tas_json *json = headless_event(event);
    fill_session(json, news->session);
    headless_tell(json);
}

static void print_history(const struct api_page *page) {
    struct tas_json *list = tas_json_list();
    for (size_t i = 0; i < page->n; i++) {
        struct tas_json *one = tas_json_object();
        fill_session(one, &page->list[i]);
        tas_json_add(list, one);
    }
    struct tas_json *json = headless_event("history");
    tas_json_set(json, "sessions", list);
    headless_tell(json);
}

static struct tas_json *monitor_json(const struct tas_monitor *m) {
    struct tas_json *one = tas_json_object();
    tas_json_set_int(one, "id", m->id);
    tas_json_set_text(one, "name", m->name);
    tas_json_set_int(one, "x", m->x);
    tas_json_set_int(one, "y", m->y);
    tas_json_set_int(one, "width", m->width);
    tas_json_set_int(one, "height", m->height);
    tas_json_set_bool(one, "primary", m->is_primary);
    return one;
}

static void print_monitors(const struct tool_news *news) {
    struct tas_json *list = tas_json_list();
    for (unsigned i = 0; i < news->monitors->n; i++)
        tas_json_add(list, monitor_json(&news->monitors->list[i]));
    struct tas_json *json = headless_event("monitors");
    tas_json_set_int(json, "shown", news->monitors->shown);
    if (news->name)
        tas_json_set_text(json, "gone", news->name);
    tas_json_set(json, "list", list);
    headless_tell(json);
}

static void print_login(const struct api_login *login) {
    struct tas_json *json = headless_event("logged_in");
    tas_json_set_text(json, "company", login->company_name);
    tas_json_set_text(json, "name", login->operator_name);
    tas_json_set_int(json, "expires_at", login->expires_at);
    headless_tell(json);
}

void print_news(const struct tool_news *news) {
    switch (news->kind) {
    case TOOL_ERROR:
        print_error(news->command, news->error);
        break;
    case TOOL_MEASURED:
        print_measured(news);
        break;
    case TOOL_LINE:
        print_line(news);
        break;
    case TOOL_ALARM:
        print_text("alarm", news->text);
        break;
    case TOOL_TICKET:
        headless_say("ticket_renewed", ",\"result\":\"%s\"", tas_err_name(news->err));
        break;
    case TOOL_ENGINE:
        print_event(news->event);
        break;
    case TOOL_ENDED:
        print_ended(news);
        break;
    case TOOL_TERMS:
        headless_say("terms", ",\"version\":\"%s\"", news->terms->version);
        break;
    case TOOL_COMPANY:
        print_company(news);
        break;
    case TOOL_CLAIM:
        headless_say("claim", ",\"state\":\"%s\"", api_claim_state_word(news->claim->state));
        break;
    case TOOL_OPERATOR:
        print_operator(news);
        break;
    case TOOL_SCREEN:
        headless_say("screen", ",\"width\":%u,\"height\":%u", news->width, news->height);
        break;
    case TOOL_INPUT:
        headless_say("input", ",\"kind\":%u,\"seq\":%u,\"result\":\"%s\",\"at_us\":%" PRIu64,
                     news->input->kind, news->input->seq, tas_err_name(news->err), tas_mono_us());
        break;
    case TOOL_RELEASED:
        headless_say("keys_released", ",\"at_us\":%" PRIu64, tas_mono_us());
        break;
    case TOOL_NO_DISPLAY:
        print_no_display(news);
        break;
    case TOOL_LOGGED_IN:
        print_login(news->login);
        break;
    case TOOL_LOGGED_OUT:
        headless_say("logged_out", "%s", "");
        break;
    case TOOL_READY:
        headless_say("ready", "%s", "");
        break;
    case TOOL_SESSION:
        print_session(news);
        break;
    case TOOL_HISTORY:
        print_history(news->page);
        break;
    case TOOL_STORED:
        headless_say("device_stored", "%s", "");
        break;
    case TOOL_MONITORS:
        print_monitors(news);
        break;
    case TOOL_SERVER:
    case TOOL_SILENT:
    case TOOL_FREE:
    case TOOL_LEFT:
    case TOOL_FRAME:
        break;
    }
}
