/*
 * vfio-dma: drives viommu's DMA engine from user space of the guest, with VFIO and nothing else.
 *
 *   vfio-dma GROUP ADDRESS        such as: vfio-dma 2 0000:00:07.0
 *
 * Maps a buffer at the IOVA that is its virtual address, has the engine copy within it, then outside of it, and once more
 * after it was unmapped. Each step is one line for the harness; the exit code is 0 when all steps could be taken, whatever
 * the engine answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFER_SIZE (1024 * 1024)
#define COPIED (BUFFER_SIZE / 2)

/* The engine's registers in BAR 0. */
#define ENGINE_ID 0x00
#define ENGINE_STATUS 0x04
#define ENGINE_SOURCE 0x08
#define ENGINE_DESTINATION 0x10
#define ENGINE_LENGTH 0x18
#define ENGINE_CONTROL 0x1c
#define ENGINE_ERROR_ADDRESS 0x20

#define ENGINE_ID_VALUE 0x414d4456 /* VDMA */
#define ENGINE_GO 1
#define ENGINE_BUSY 1

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4

#define WAIT_MILLISECONDS 10000

static int container, group, device;
/* An eventfd; none on a machine that delivers no messages, where a copy is over when its register says so. */
static int interrupt = -1;
static uint64_t registers;

static void fail(const char *what)
{
    printf("@viommu error vfio-dma: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t load(unsigned offset)
{
    uint32_t value;
    if (pread(device, &value, sizeof value, registers + offset) != sizeof value)
        fail("read of a register");
    return value;
}

static void store(unsigned offset, uint32_t value)
{
    if (pwrite(device, &value, sizeof value, registers + offset) != sizeof value)
        fail("write of a register");
}

static void store64(unsigned offset, uint64_t value)
{
    store(offset, (uint32_t)value);
    store(offset + 4, (uint32_t)(value >> 32));
}

static void open_device(const char *group_number, const char *address)
{
    char path[64];
    struct vfio_group_status status = { .argsz = sizeof status };

    container = open("/dev/vfio/vfio", O_RDWR);
    if (container < 0)
        fail("open of the container");
    if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
        fail("VFIO_TYPE1v2_IOMMU");
    snprintf(path, sizeof path, "/dev/vfio/%s", group_number);
    group = open(path, O_RDWR);
    if (group < 0)
        fail("open of the group");
    if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) || !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        fail("the group is not viable");
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
        fail("VFIO_GROUP_SET_CONTAINER");
    if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        fail("VFIO_SET_IOMMU");
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
    if (device < 0)
        fail("VFIO_GROUP_GET_DEVICE_FD");
}

static uint64_t region_offset(unsigned index)
{
    struct vfio_region_info region = { .argsz = sizeof region, .index = index };
    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region))
        fail("VFIO_DEVICE_GET_REGION_INFO");
    return region.offset;
}

static void take_interrupts(void)
{
    struct vfio_irq_info info = { .argsz = sizeof info, .index = VFIO_PCI_MSIX_IRQ_INDEX };
    struct {
        struct vfio_irq_set set;
        int32_t fd;
    } irqs = { .set = { .argsz = sizeof irqs,
                        .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                        .index = VFIO_PCI_MSIX_IRQ_INDEX,
                        .count = 1 } };

    if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info))
        fail("VFIO_DEVICE_GET_IRQ_INFO");
    printf("@viommu vfio-vectors %u\n", info.count);
    if (info.count == 0)
        return;
    interrupt = eventfd(0, EFD_NONBLOCK);
    irqs.fd = interrupt;
    if (interrupt < 0 || ioctl(device, VFIO_DEVICE_SET_IRQS, &irqs))
        fail("VFIO_DEVICE_SET_IRQS");
}

static void start_device(void)
{
    uint64_t config = region_offset(VFIO_PCI_CONFIG_REGION_INDEX);
    uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

    registers = region_offset(VFIO_PCI_BAR0_REGION_INDEX);
    if (pwrite(device, &command, sizeof command, config + PCI_COMMAND) != sizeof command)
        fail("write of the command register");
    if (load(ENGINE_ID) != ENGINE_ID_VALUE)
        fail("this is no DMA engine");
    take_interrupts();
}

/* Until the engine is done. @returns the interrupts that came */
static uint64_t await_engine(void)
{
    struct pollfd wait = { .fd = interrupt, .events = POLLIN };
    uint64_t interrupts = 0;

    if (interrupt < 0) {
        for (int waited = 0; waited < WAIT_MILLISECONDS && load(ENGINE_STATUS) == ENGINE_BUSY; waited++)
            poll(NULL, 0, 1);
    } else if (poll(&wait, 1, WAIT_MILLISECONDS) == 1 &&
               read(interrupt, &interrupts, sizeof interrupts) != sizeof interrupts) {
        fail("read of the interrupts");
    }
    return interrupts;
}

/* Has the engine copy, waits for it, and prints what became of it. */
static void copy(uint64_t source, uint64_t destination, uint32_t length, const unsigned char *expected,
                 const unsigned char *target)
{
    uint64_t interrupts;
    uint64_t error;
    uint32_t status;

    store64(ENGINE_SOURCE, source);
    store64(ENGINE_DESTINATION, destination);
    store(ENGINE_LENGTH, length);
    store(ENGINE_CONTROL, ENGINE_GO);
    interrupts = await_engine();
    status = load(ENGINE_STATUS);
    error = load(ENGINE_ERROR_ADDRESS) | (uint64_t)load(ENGINE_ERROR_ADDRESS + 4) << 32;
    printf("@viommu vfio-copy 0x%llx 0x%llx %u %u 0x%llx %llu %s\n", (unsigned long long)source,
           (unsigned long long)destination, length, status, (unsigned long long)error,
           (unsigned long long)interrupts, memcmp(expected, target, length) ? "differs" : "equal");
}

int main(int count, char **arguments)
{
    static unsigned char zeroes[COPIED];
    struct vfio_iommu_type1_dma_map map = { .argsz = sizeof map };
    struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof unmap };
    unsigned char *buffer;
    uint64_t address;

    if (count != 3) {
        fprintf(stderr, "usage: vfio-dma GROUP ADDRESS\n");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_device(arguments[1], arguments[2]);

    buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED)
        fail("mmap of the buffer");
    for (unsigned at = 0; at < COPIED; at++)
        buffer[at] = (unsigned char)(at * 31 ^ at >> 7);
    address = (uintptr_t)buffer;
    map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
    map.vaddr = address;
    map.iova = address;
    map.size = BUFFER_SIZE;
    if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
        fail("VFIO_IOMMU_MAP_DMA");
    printf("@viommu vfio-map 0x%llx 0x%llx %u\n", (unsigned long long)address,
           (unsigned long long)map.iova, BUFFER_SIZE);

    start_device();
    copy(address, address + COPIED, COPIED, buffer, buffer + COPIED);

    /* Behind the buffer: nothing may arrive in its second half, which is empty again. */
    memset(buffer + COPIED, 0, COPIED);
    copy(address + BUFFER_SIZE, address + COPIED, COPIED, zeroes, buffer + COPIED);

    unmap.iova = address;
    unmap.size = BUFFER_SIZE;
    if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
        fail("VFIO_IOMMU_UNMAP_DMA");
    printf("@viommu vfio-unmap %llu\n", (unsigned long long)unmap.size);
    copy(address, address + COPIED, COPIED, zeroes, buffer + COPIED);
    return 0;
}
