/*
 * The least that a vfio-user server in C does for a register: poll(), recvmsg() with room for descriptors, look-up, sendmsg().
 *
 * `register-read-server socket=PATH` listens there, prints `ready`, serves one client after the other, and is ended by a
 * signal. It knows VFIO_USER_VERSION and VFIO_USER_REGION_READ; any other command is answered with an error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { VFIO_USER_VERSION = 1, VFIO_USER_REGION_READ = 9 };
enum { FLAGS_TYPE_MASK = 0xf, FLAGS_TYPE_REPLY = 1, FLAGS_ERROR = 0x20 };
enum { REGIONS = 9, BAR_SIZE = 0x4000, CONFIG_REGION = 7, CONFIG_SIZE = 256 };
enum { MAX_MESSAGE = 4096, MAX_FDS = 16 };

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

struct region {
    uint8_t *bytes;
    uint64_t size;
};

static uint8_t bar[BAR_SIZE];
static uint8_t config[CONFIG_SIZE];
static const struct region regions[REGIONS] = {
    [0] = { bar, sizeof(bar) },
    [CONFIG_REGION] = { config, sizeof(config) },
};

static union {
    struct header header;
    struct region_read read;
    uint8_t bytes[MAX_MESSAGE];
} request, reply;

static void fail(const char *what)
{
    fprintf(stderr, "register-read-server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The size of the reply, or an errno, negated. */
static int answer(uint32_t size)
{
    switch (request.header.command) {
    case VFIO_USER_VERSION: {
        static const char capabilities[] = "{\"capabilities\":{}}";
        memset(reply.bytes + sizeof(struct header), 0, 4);
        memcpy(reply.bytes + sizeof(struct header) + 4, capabilities, sizeof(capabilities));
        return sizeof(struct header) + 4 + sizeof(capabilities);
    }
    case VFIO_USER_REGION_READ: {
        const struct region_read *read = &request.read;
        if (size != sizeof(*read) || read->region >= REGIONS)
            return -EINVAL;
        const struct region *region = &regions[read->region];
        if (read->count == 0 || read->count > MAX_MESSAGE - sizeof(*read) || read->offset > region->size ||
            read->count > region->size - read->offset)
            return -EINVAL;
        reply.read = *read;
        memcpy(reply.bytes + sizeof(*read), region->bytes + read->offset, read->count);
        return (int)(sizeof(*read) + read->count);
    }
    default:
        return -EOPNOTSUPP;
    }
}

/* Whether the client is still there. */
static int serve_message(int fd)
{
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
    } control;
    struct iovec target = { &request, sizeof(request) };
    struct msghdr message = {
        .msg_iov = &target,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL; part = CMSG_NXTHDR(&message, part)) {
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
            int received;
            memcpy(&received, (char *)part + at, sizeof(received));
            close(received);
        }
    }
    /* The client of the bench waits for each answer, so that a message is never in parts, nor two at once. */
    if (count < (ssize_t)sizeof(struct header) || request.header.message_size != (uint32_t)count ||
        (request.header.flags & FLAGS_TYPE_MASK) != 0)
        return 0;
    int result = answer((uint32_t)count);
    uint32_t size = result < 0 ? sizeof(struct header) : (uint32_t)result;
    reply.header = (struct header){
        .id = request.header.id,
        .command = request.header.command,
        .message_size = size,
        .flags = FLAGS_TYPE_REPLY | (result < 0 ? FLAGS_ERROR : 0),
        .error = result < 0 ? (uint32_t)-result : 0,
    };
    struct iovec source = { &reply, size };
    struct msghdr outgoing = { .msg_iov = &source, .msg_iovlen = 1 };
    return sendmsg(fd, &outgoing, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

static int listen_on(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "register-read-server: the path of the socket is too long\n");
        exit(2);
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
        fail(path);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 2 || strncmp(argv[1], "socket=", 7) != 0) {
        fprintf(stderr, "register-read-server: usage: register-read-server socket=PATH\n");
        return 2;
    }
    for (size_t index = 0; index < sizeof(bar); index++)
        bar[index] = (uint8_t)index;
    struct pollfd fds[2] = { { .fd = listen_on(argv[1] + 7), .events = POLLIN }, { .fd = -1, .events = POLLIN } };
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            fail("poll()");
        if (fds[1].revents != 0 && !serve_message(fds[1].fd)) {
            close(fds[1].fd);
            fds[1].fd = -1;
        }
        if (fds[0].revents != 0 && fds[1].fd < 0)
            fds[1].fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);
    }
}
