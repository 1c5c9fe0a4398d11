/* The inside of the catalog: catalog.c fills it, reply.c reads it. */
#pragma once

#include "download/catalog.h"

#include <pthread.h>

struct download_page {
    struct tas_buf text;
    char etag[DOWNLOAD_ETAG]; /* with its quotes */
};

/* What is shown at a time. Not changed after it was made. */
struct download_shown {
    int fd; /* the client tool, to be read with pread(); -1: there is none */
    uint64_t size;
    char name[DOWNLOAD_NAME_MAX + 1];
    char sha256[DOWNLOAD_SHA256];
    char etag[DOWNLOAD_ETAG];
    struct download_page pages[DOWNLOAD_LANGUAGES];
};

struct download_catalog {
    pthread_mutex_t lock; /* of `shown`; held for moments only */
    struct download_shown *shown;
    char style_etag[DOWNLOAD_ETAG];
};
