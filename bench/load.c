/* A load generator for the receiver: CONNECTIONS sockets, each sending the next
 * event as soon as the last was answered, for SECONDS; one thread, epoll.
 *
 *   load PORT CONNECTIONS SECONDS PATH RUN_ID
 *
 * Prints one JSON line: events answered, seconds, slowest answer in ms, answers
 * that were not 2xx. All connections are opened before any of them sends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct peer {
    int fd;
    int have;
    double sent;
    char in[4096];
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned long counter;

static void ask(struct peer *p, const char *path, const char *run) {
    char body[512], out[1024];
    unsigned long n = ++counter;
    int size = snprintf(body, sizeof body,
        "{\"type\":\"progress\",\"run_id\":\"%s\",\"task_id\":\"bench\",\"event_id\":\"e%lu\","
        "\"sequence\":%lu,\"execution_id\":\"x\",\"current\":%lu,\"total\":1000000,"
        "\"message\":\"working on the next part\"}", run, n, n, n);
    int all = snprintf(out, sizeof out,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n%s", path, size, body);
    p->sent = now();
    if (write(p->fd, out, all) != all) { perror("write"); exit(1); }
}

/* The length of the first whole answer in p->in, or 0. */
static int whole(struct peer *p) {
    char *end = memmem(p->in, p->have, "\r\n\r\n", 4);
    if (!end) return 0;
    int head = (int)(end - p->in) + 4;
    char saved = p->in[head];
    p->in[head] = 0;
    char *length = strcasestr(p->in, "\r\ncontent-length:");
    int body = length ? atoi(length + 17) : 0;
    p->in[head] = saved;
    return p->have >= head + body ? head + body : 0;
}

int main(int argc, char **argv) {
    if (argc != 6) { fprintf(stderr, "load PORT CONNECTIONS SECONDS PATH RUN_ID\n"); return 2; }
    int port = atoi(argv[1]), count = atoi(argv[2]);
    double seconds = atof(argv[3]), slowest = 0;
    unsigned long answered = 0, refused = 0;
    struct peer *peers = calloc(count, sizeof *peers);
    int poll = epoll_create1(0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    for (int i = 0; i < count; i++) {
        int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 1; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        peers[i].fd = fd;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &peers[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
    }
    double begin = now(), end = begin + seconds;
    for (int i = 0; i < count; i++) ask(&peers[i], argv[4], argv[5]);
    struct epoll_event ready[256];
    while (now() < end) {
        int n = epoll_wait(poll, ready, 256, 100);
        for (int i = 0; i < n; i++) {
            struct peer *p = ready[i].data.ptr;
            int got = read(p->fd, p->in + p->have, sizeof p->in - p->have);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) { fprintf(stderr, "connection closed by the server\n"); return 1; }
            p->have += got;
            int size = whole(p);
            if (!size) continue;
            double took = now() - p->sent;
            if (took > slowest) slowest = took;
            if (p->in[9] != '2') refused++;
            answered++;
            memmove(p->in, p->in + size, p->have - size);
            p->have -= size;
            ask(p, argv[4], argv[5]);
        }
    }
    printf("{\"answered\": %lu, \"seconds\": %f, \"slowest_ms\": %f, \"refused\": %lu}\n",
        answered, now() - begin, slowest * 1e3, refused);
    return 0;
}
