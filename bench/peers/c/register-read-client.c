/*
 * Times reads of a register over a vfio-user socket, one after the other: the client's side, the same for every server.
 *
 * Timed: for each operation one send() of a VFIO_USER_REGION_READ of four bytes of BAR 0 (device_feature of a virtio
 * function), one recv() of its reply, and a check of the reply's header. Not timed: connecting and VFIO_USER_VERSION.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum { VFIO_USER_VERSION = 1, VFIO_USER_REGION_READ = 9 };
enum { FLAGS_TYPE_REPLY = 1 };
enum { DEVICE_FEATURE = 4 };

struct header {
    uint16_t id;
    uint16_t command;
    uint32_t message_size;
    uint32_t flags;
    uint32_t error;
};

struct region_read {
    struct header header;
    uint64_t offset;
    uint32_t region;
    uint32_t count;
};

/* What is read follows the repeated request, without padding. */
enum { REPLY_SIZE = sizeof(struct region_read) + 4 };

static void fail(const char *what)
{
    fprintf(stderr, "register-read-client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void receive_all(int fd, void *target, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = recv(fd, (char *)target + done, length - done, 0);
        if (count <= 0)
            fail("recv()");
        done += (size_t)count;
    }
}

static void negotiate(int fd)
{
    static const char capabilities[] = "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}";
    struct {
        struct header header;
        uint16_t major, minor;
        char data[sizeof(capabilities)];
    } request = { .header = { .command = VFIO_USER_VERSION } };
    const uint32_t size = (uint32_t)(sizeof(struct header) + 4 + sizeof(capabilities));
    request.header.message_size = size;
    memcpy(request.data, capabilities, sizeof(capabilities));
    if (send(fd, &request, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("send()");
    struct header reply;
    char rest[4096];
    receive_all(fd, &reply, sizeof(reply));
    if (reply.error != 0 || reply.message_size < sizeof(reply) || reply.message_size - sizeof(reply) > sizeof(rest)) {
        fprintf(stderr, "register-read-client: the server refuses VFIO_USER_VERSION\n");
        exit(1);
    }
    receive_all(fd, rest, reply.message_size - sizeof(reply));
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "register-read-client: the path of the socket is too long\n");
        exit(2);
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(path);
    return fd;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t run(int fd, unsigned long operations)
{
    struct region_read request = {
        .header = { .command = VFIO_USER_REGION_READ, .message_size = sizeof(request) },
        .offset = DEVICE_FEATURE,
        .region = 0,
        .count = 4,
    };
    union {
        struct header header;
        uint8_t bytes[REPLY_SIZE];
    } reply;
    const uint64_t start = now();
    for (unsigned long done = 0; done < operations; done++) {
        request.header.id = (uint16_t)done;
        if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
            fail("send()");
        receive_all(fd, reply.bytes, REPLY_SIZE);
        const struct header *header = &reply.header;
        if (header->id != request.header.id || header->flags != FLAGS_TYPE_REPLY || header->message_size != REPLY_SIZE) {
            fprintf(stderr, "register-read-client: not the reply that was asked for\n");
            exit(1);
        }
    }
    return now() - start;
}

int main(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "register-read") != 0 || strncmp(argv[2], "socket=", 7) != 0) {
        fprintf(stderr, "register-read-client: usage: register-read-client register-read socket=PATH\n");
        return 2;
    }
    int fd = connect_to(argv[2] + 7);
    negotiate(fd);
    puts("ready");
    fflush(stdout);
    char line[64];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        unsigned long operations;
        if (sscanf(line, "run %lu", &operations) != 1) {
            fprintf(stderr, "register-read-client: unknown line: %s", line);
            return 2;
        }
        printf("%llu\n", (unsigned long long)run(fd, operations));
        fflush(stdout);
    }
    return 0;
}
