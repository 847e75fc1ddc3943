/** What the kernel of the guest has: everything that is not named here, and that nothing here selects, is off. */

/** Goes to `make allnoconfig`; each line is then looked for in the configuration that came of it. */
export const KERNEL_CONFIG = `# The image. A page fetches it, and v86 unpacks it in an emulated processor: gzip is the fastest to unpack of the small ones.
CONFIG_LOCALVERSION="-viommu"
CONFIG_KERNEL_GZIP=y
CONFIG_CC_OPTIMIZE_FOR_PERFORMANCE=y
# Without it the options of small systems are not asked for, and are on.
CONFIG_EXPERT=y

# The processor that v86 emulates: one, of 32 bits, with local APIC, IO-APIC and TSC. No more memory than the kernel maps by itself.
# CONFIG_64BIT is not set
# CONFIG_SMP is not set
CONFIG_M686=y
CONFIG_NOHIGHMEM=y
CONFIG_X86_TSC=y
CONFIG_X86_UP_APIC=y
CONFIG_X86_UP_IOAPIC=y
CONFIG_X86_MPPARSE=y
CONFIG_HIGH_RES_TIMERS=y
CONFIG_NO_HZ_IDLE=y
CONFIG_HZ_100=y
CONFIG_SLUB_TINY=y
CONFIG_UNWINDER_GUESS=y

# Messages: on the first serial port, with the time, and with names when something goes wrong.
CONFIG_PRINTK=y
CONFIG_PRINTK_TIME=y
CONFIG_EARLY_PRINTK=y
CONFIG_BUG=y
CONFIG_DEBUG_BUGVERBOSE=y
CONFIG_KALLSYMS=y
CONFIG_TTY=y
CONFIG_UNIX98_PTYS=y
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_8250_CONSOLE=y
# A panic restarts the machine, and does not keep the processor busy for ever.
CONFIG_PANIC_TIMEOUT=-1

# Programs: busybox, statically linked, as a shell script's interpreter.
CONFIG_BLK_DEV_INITRD=y
CONFIG_RD_GZIP=y
CONFIG_BINFMT_ELF=y
CONFIG_BINFMT_SCRIPT=y
CONFIG_MULTIUSER=y
CONFIG_FUTEX=y
CONFIG_EPOLL=y
CONFIG_SIGNALFD=y
CONFIG_TIMERFD=y
CONFIG_EVENTFD=y
CONFIG_POSIX_TIMERS=y
CONFIG_FILE_LOCKING=y
CONFIG_SHMEM=y
# Debian's C library for i386 sets the times of files by them, as touch does.
CONFIG_COMPAT_32BIT_TIME=y

# File systems that /init mounts, and one for a disk. /proc/timer_list, which /init takes the time from, needs nothing more.
CONFIG_PROC_FS=y
CONFIG_PROC_SYSCTL=y
CONFIG_SYSFS=y
CONFIG_TMPFS=y
CONFIG_DEVTMPFS=y
CONFIG_DEVTMPFS_MOUNT=y
CONFIG_EXT2_FS=y
# CONFIG_MODULES is not set
# CONFIG_IKCONFIG is not set

# Buses. ACPI has the tables that say which endpoint is behind which IOMMU (VIOT), and switches the machine off.
# v86 delivers no message-signalled interrupts.
CONFIG_PCI=y
CONFIG_PCI_QUIRKS=y
CONFIG_ACPI=y
# CONFIG_PCI_MSI is not set

# The IOMMU, with mappings removed at once. iommu.strict=0 and iommu.passthrough=1 on the command line choose otherwise.
CONFIG_IOMMU_SUPPORT=y
CONFIG_IOMMU_API=y
CONFIG_IOMMU_DMA=y
CONFIG_IOMMU_DEFAULT_DMA_STRICT=y
CONFIG_VIRTIO_IOMMU=y
CONFIG_ACPI_VIOT=y

# What is behind it, over PCI and in windows of memory-mapped registers: disk, network, random numbers.
CONFIG_VIRTIO_MENU=y
CONFIG_VIRTIO_PCI=y
# CONFIG_VIRTIO_PCI_LEGACY is not set
CONFIG_VIRTIO_MMIO=y
CONFIG_BLOCK=y
CONFIG_BLK_DEV=y
CONFIG_VIRTIO_BLK=y
CONFIG_HW_RANDOM=y
CONFIG_HW_RANDOM_VIRTIO=y

# The network: IPv4 for udhcpc and wget.
CONFIG_NET=y
CONFIG_PACKET=y
CONFIG_UNIX=y
CONFIG_INET=y
# CONFIG_IPV6 is not set
CONFIG_NETDEVICES=y
CONFIG_NET_CORE=y
CONFIG_VIRTIO_NET=y

# A function that is handed to a program in user space.
CONFIG_VFIO=y
CONFIG_VFIO_GROUP=y
CONFIG_VFIO_CONTAINER=y
CONFIG_VFIO_IOMMU_TYPE1=y
CONFIG_VFIO_PCI=y

# The clock of a PC, in whose memory /init keeps the number of the boot.
CONFIG_RTC_CLASS=y
CONFIG_RTC_DRV_CMOS=y
CONFIG_RTC_NVMEM=y
CONFIG_NVMEM=y
CONFIG_NVMEM_SYSFS=y

# For a look at registers, and to restart what hangs.
CONFIG_DEVMEM=y
CONFIG_DEVPORT=y
CONFIG_MAGIC_SYSRQ=y
`;
