# Gangway: `make help` says what there is.

ifeq ($(origin CC),default)
CC := gcc
endif
NASM ?= nasm
# Debian's own, which has its pytest
PYTHON ?= /usr/bin/python3
OBJCOPY ?= objcopy
B := build

# gcc 16 accesses registers by other instructions than MOV, too.  Those that
# emulate devices, Gangway among them, decode MOV alone.
ONLY_MOV := -fno-fuse-ops-with-volatile-access
ONLY_MOV := $(shell $(CC) $(ONLY_MOV) -E -x c /dev/null >/dev/null 2>&1 && \
	echo $(ONLY_MOV))
CFLAGS := -std=gnu11 -ffreestanding -Wall -Wextra -Werror -O2 -g \
	-mgeneral-regs-only -mno-red-zone -fpic -fshort-wchar \
	-fvisibility=hidden -fno-stack-protector \
	-fno-asynchronous-unwind-tables $(ONLY_MOV) -I. -MMD -MP
# gnu-efi's, which other distributions have elsewhere
EFI_INCLUDE ?= /usr/include/efi
EFI_LIB ?= $(patsubst %/crt0-efi-x86_64.o,%,$(firstword $(wildcard \
	/usr/lib/crt0-efi-x86_64.o /usr/lib/*/crt0-efi-x86_64.o)))
EFI_CFLAGS := -DGNU_EFI_USE_MS_ABI -isystem $(EFI_INCLUDE) \
	-isystem $(EFI_INCLUDE)/x86_64
# Only gcc has it, for calls by the Microsoft convention
ifeq ($(findstring clang,$(CC)),)
EFI_CFLAGS += -maccumulate-outgoing-args
endif
LDFLAGS := -nostdlib -shared -Bsymbolic -z text -z noexecstack \
	--no-undefined --build-id=sha1 --fatal-warnings -T linker.ld
# gnu-efi 3.0.18 and later call _entry, of libefi.a, which is not linked
EFI_LDFLAGS := $(LDFLAGS) --defsym=_entry=efi_main
EFI_SECTIONS := .text .reloc .rodata .dynamic .rela .data

# From the top floor down: a folder includes what is below it, and
# tests/unit/layers.py sees to that.
export HV_DIRS := boot hv/machine guest/assign guest vtd drivers hv/vmx \
	drivers/pci hv
C_FILES := $(wildcard $(HV_DIRS:%=%/*.c))
ASM_FILES := $(wildcard $(HV_DIRS:%=%/*.asm))
OBJECTS := $(C_FILES:%.c=$B/obj/%.o) $(ASM_FILES:%=$B/obj/%.o) \
	$B/obj/drivers/font.o
HEADERS := $(wildcard $(HV_DIRS:%=%/*.h) guest/tools/*.h tests/unit/*.h \
	tests/unit/processor/hv/*.h \
	tests/attack/kernel/*.h)

GUEST_TOOLS := $(patsubst guest/tools/%.c,$B/guest/%,$(wildcard guest/tools/*.c))
GUEST_FILES := $B/guest/vmlinuz $B/guest/initramfs.gz

UNIT_TESTS := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))

FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,\
	$(filter-out %/support.c %/replay.c %/functions.c,$(wildcard tests/fuzz/*.c)))

FORMATTED := $(C_FILES) $(HEADERS) $(wildcard tools/*.c guest/tools/*.c tests/unit/*.c \
	tests/fuzz/*.[ch] tests/threads/*.[ch] tests/threads/host/hv/*.h \
	tests/threads/host/hv/vmx/*.h tests/small_world/*.c \
	tests/small_world/host/hv/*.h tests/attack/kernel/*.c \
	tests/attack/linux/*.[ch] tests/bench/*.c tests/bochs/*.c tests/leftovers/*.[ch] \
	tests/prove/*.[ch] course/*/*.c)
SCRIPTS := .ci/run tools/check-config $(wildcard tools/*.sh guest/initramfs/init guest/initramfs/*.sh \
	tests/attack/linux/*.sh tests/kvm/init tests/kvm/*.sh course/*/*.sh)

# The recipes' own words say what they do; V=1 shows the commands.
V ?= 0
ifeq ($V,0)
Q := @
endif
say = @printf '  %-8s %s\n' $(1) $(2)

.PHONY: all run run-usb test test-all test-bochs test-kvm test-distributions \
	unit fuzz coverage vm-tests vm-tests-long soak attack-time \
	attack-random schedule models mutants mutation prove test-labs check book usb guest \
	promises bench build-unit build-fuzz setup emulator format-check lint clean help FORCE
.DELETE_ON_ERROR:

all:
	@tools/setup.sh check build
	@$(MAKE) --no-print-directory $B/gangway.efi

help:
	@sed -n 's/^#: \?//p' $(firstword $(MAKEFILE_LIST))
	@tools/setup.sh packages

#: make            build/gangway.efi
#: make run        boot it under QEMU with a Linux guest and the demonstration;
#:                 on a terminal a guest shell follows (DEMO=1: no shell)
#: make test       unit tests and fuzz targets on the host, then whole-machine
#:                 tests
#: make test-all   make test, and what takes longer or needs more: what CI runs
#: make unit       the unit tests alone (TESTS=config: that one); make vm-tests:
#:                 the other ones alone (TESTS='-k smp' is given to pytest);
#:                 make vm-tests-long: more machines (part of make test-all)
#: make test-kvm   Gangway under KVM, which runs on the emulator: some 7 minutes
#:                 (part of make test-all; SMP, SHOW, DEVICE as with make run)
#: make promises   measure what docs/promises.md promises, and write it there
#:                 (the same is part of make test, which leaves the page alone)
#: make bench N=3   what work costs under Gangway and bare, by N pairs of boots;
#:                 written to docs/performance.md: some three minutes a pair
#: make test-bochs the same image on another emulator of VMX, Bochs (part of
#:                 make test; MODEL=corei7_haswell_4770: another processor)
#: make test-distributions
#:                 product and unit tests with the compilers and libraries of
#:                 Debian 12 and 13, each in a tree of its own (needs root)
#: make fuzz       the fuzz targets, for FUZZ_SECONDS=120 in all, two at a time;
#:                 FUZZ_TARGETS='dmar vpci', FUZZ_RUNS=100000000: inputs in all;
#:                 the inputs differ each time; those of make test do not, so
#:                 that a failure there comes from a change (FUZZ_SEED=1)
#: make schedule N=1000000 SEED=1
#:                 so many orders of events of the parts that run on several
#:                 processors at the same time
#: make models     check the models in docs/models with Spin
#: make prove      what is proved of the C, over all inputs: contracts in the
#:                 sources with Frama-C, claims of tests/prove with Z3
#:                 (FILES='vtd/dmar.c': those files alone)
#: make mutants    mistakes that the tests must notice, one at a time
#: make mutation N=60 SEED=1
#:                 so many changes of an operator or constant in the files that
#:                 isolation rests on; which of them no test of the host notices
#: make coverage   what unit tests and stored fuzz inputs run of each file
#: make soak N=50  N boots in a row, each with the whole demonstration
#: make attack-time N=100 DURATION=60
#:                 a guest that does nothing but exit for so long, and one that
#:                 resets itself so often
#: make attack-random SEED=1 DURATION=3600
#:                 a guest whose processors draw attacks at random for so long
#: make usb        build/gangway-usb.img, a disk to boot from a USB stick;
#:                 KERNEL=FILE INITRD=FILE: with your own Linux, CONFIG=FILE: and
#:                 your own gangway.cfg; SIZE=512: so many MiB
#: make run-usb    boot that image as a USB disk in QEMU
#: make lab-3       the course (course/README.md), here its lab 3: your copy in
#:                  build/lab-3, and its machine; make play-3: the machine on
#:                  this terminal; make check-3, make check: judged (JSON=1);
#:                  make solve-3: the solution; make test-labs: each unsolved
#:                  and solved; make book: build/book
#: make format-check, make lint, make clean
#:
#: Variables of run, run-usb and soak:
#:   SMP=2  MEM=2G                   CPUs and memory of the machine
#:   ACCEL=auto                      tcg, kvm, or auto
#:   IOMMU=aw-bits=39                properties of intel-iommu, or none
#:   CPU=vmx-ept-1gb=off             properties of the CPU
#:   QEMU_EXTRA='-d int'             more arguments for QEMU
#:   GUEST_CMDLINE=...               more for the guest kernel
#:   DEVICE=nvme,xhci                give these whole to the guest instead of a VF:
#:                                   e1000e nvme xhci display igb edu ahci
#:   CONFIG=FILE                     this gangway.cfg instead of the usual one
#:   LOG=FILE                        the hypervisor's log there, not on the console
#:   SHOW=nvme                       an NVMe drive's VF; demo,nvme: both; rdma:
#:                                   RDMA between two VFs of the card
#:   DEMO=1  TIMEOUT=240             no shell; seconds until giving up
#:   KERNEL=6.12                     the guest's kernel: Debian's of that version;
#:                                   or a file, MODULES=DIR: its modules
#:   QEMU=auto                       the installed QEMU where it will do: with KVM,
#:                                   from 8.1 on; QEMU=FILE: that one; QEMU=: our
#:                                   emulator
#: Elsewhere: CC=clang, V=1 (show the commands).
#:
#: Debian's packages for everything above, to be installed by root:

# --- the hypervisor

$B/obj/boot/%.o: boot/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS) $(EFI_CFLAGS) -c -o $@ $<

$B/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS) -c -o $@ $<

$B/obj/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$Q$(NASM) -f elf64 -I $B/ -MD $(@:.o=.d) -MP -o $@ $<

# The screen's font, of console-setup-linux
CONSOLE_FONT ?= /usr/share/consolefonts/Lat15-Fixed16.psf.gz

$B/font.c: tools/font.py $(CONSOLE_FONT)
	@mkdir -p $(@D)
	$(call say,FONT,$@)
	$Q$(PYTHON) $^ >$@

$B/obj/drivers/font.o: $B/font.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS) -c -o $@ $<

$B/dsdt.aml: guest/dsdt.asl
	@mkdir -p $(@D)
	$(call say,IASL,$<)
	$Qiasl -p $B/dsdt $< >$B/dsdt.log 2>&1 || { cat $B/dsdt.log; exit 1; }

$B/obj/guest/dsdt.asm.o: $B/dsdt.aml

$B/gangway.so: $(OBJECTS) linker.ld
	$(call say,LD,$@)
	$Qld $(EFI_LDFLAGS) -o $@ $(EFI_LIB)/crt0-efi-x86_64.o $(OBJECTS) \
		$(EFI_LIB)/libgnuefi.a

$B/gangway.efi: $B/gangway.so tools/nx_compat.py
	$(call say,EFI,$@)
	$Q$(OBJCOPY) $(EFI_SECTIONS:%=-j %) -O efi-app-x86_64 $< $@
	$Q$(PYTHON) tools/nx_compat.py $@

# tools/check-config: the parser and the checks, on the host
CHECK_CONFIG_C := tools/check_config.c $(wildcard hv/machine/config*.c) \
	hv/weaken.c guest/linux.c guest/kernel_kind.c guest/pe.c \
	hv/memory_map.c hv/format.c

$B/check-config: $(CHECK_CONFIG_C) $(HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$Q$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -I. -o $@ $(CHECK_CONFIG_C)

# --- the guest

# Of its programs, those of the tests included
GUEST_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror $(ONLY_MOV) -static -I.

$(GUEST_TOOLS): $B/guest/%: guest/tools/%.c hv/stat_abi.h \
		$(wildcard guest/tools/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(GUEST_CFLAGS) -o $@ $<

# Made again where KERNEL= or MODULES= is another than the last time
$B/guest/kernel-wanted: FORCE
	@mkdir -p $(@D)
	@echo '$(KERNEL) $(MODULES)' | cmp -s - $@ || \
		echo '$(KERNEL) $(MODULES)' >$@

$B/guest/vmlinuz: tools/kernel.sh tools/packages.sh $B/guest/kernel-wanted \
		$(wildcard $(KERNEL))
	$(call say,KERNEL,$@)
	$Qtools/kernel.sh $(@D)

$B/guest/initramfs.gz: tools/initramfs.sh tools/archive.sh \
		$(wildcard guest/initramfs/init guest/initramfs/*.sh) \
		$(GUEST_TOOLS) $B/guest/vmlinuz
	$(call say,CPIO,$@)
	$Qtools/initramfs.sh $B/guest/kernel $@ $(GUEST_TOOLS)

# SHOW=rdma: the same, and an archive that the kernel unpacks after it
$B/guest/rdma.gz: tools/rdma.sh tools/archive.sh tools/packages.sh \
		$B/guest/vmlinuz
	$(call say,CPIO,$@)
	$Qtools/rdma.sh $B/guest/kernel $@

$B/guest/initramfs-rdma.gz: $B/guest/initramfs.gz $B/guest/rdma.gz
	$Qcat $^ >$@

# --- the attack kernel: a guest of ours that does what no guest may

ATTACK_C := $(wildcard tests/attack/kernel/*.c) hv/format.c hv/string.c
ATTACK_ASM := $(wildcard tests/attack/kernel/*.asm)
ATTACK_OBJECTS := $(ATTACK_C:%.c=$B/attack/%.o) \
	$(ATTACK_ASM:tests/attack/kernel/%.asm=$B/attack/%.o)
ATTACK_CFLAGS := -std=gnu11 -ffreestanding -Wall -Wextra -Werror -O2 -g \
	-mgeneral-regs-only -mno-red-zone -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables $(ONLY_MOV) -I. -MMD -MP

$B/attack/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(ATTACK_CFLAGS) -c -o $@ $<

$B/attack/%.o: tests/attack/kernel/%.asm $(wildcard tests/attack/kernel/*.inc)
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$Q$(NASM) -f elf64 -o $@ $<

$B/attack/kernel.elf: $(ATTACK_OBJECTS) tests/attack/kernel/link.ld
	$(call say,LD,$@)
	$Qld -nostdlib -static -z noexecstack --fatal-warnings \
		-T tests/attack/kernel/link.ld -o $@ $(ATTACK_OBJECTS)

$B/attack/kernel: $B/attack/kernel.elf
	$(call say,BZIMAGE,$@)
	$Q$(OBJCOPY) -O binary $< $@

# --- attacks by root in the Linux guest

$B/attack/linux/attack: $(wildcard tests/attack/linux/*.[ch])
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$Q$(CC) $(GUEST_CFLAGS) -o $@ $(filter %.c,$^)

$B/attack/linux.gz: $(wildcard tests/attack/linux/*.sh) tools/archive.sh \
		$B/attack/linux/attack $B/guest/vmlinuz
	$(call say,CPIO,$@)
	$Qtests/attack/linux/initramfs.sh $B/guest/kernel $@ \
		$B/attack/linux/attack

# The kernel unpacks one archive after the other.
$B/attack/initramfs.gz: $B/guest/initramfs.gz $B/attack/linux.gz
	$Qcat $^ >$@

ATTACK_FILES := $B/attack/kernel $B/attack/initramfs.gz

# What a firmware may leave behind: an application that starts Gangway's

LEFTOVER_C := $(wildcard tests/leftovers/*.c) hv/format.c hv/string.c
LEFTOVER_OBJECTS := $(LEFTOVER_C:%.c=$B/leftovers/%.o)

$B/leftovers/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS) $(EFI_CFLAGS) -c -o $@ $<

$B/leftovers/leftovers.so: $(LEFTOVER_OBJECTS) linker.ld
	$(call say,LD,$@)
	$Qld $(EFI_LDFLAGS) -o $@ $(EFI_LIB)/crt0-efi-x86_64.o \
		$(LEFTOVER_OBJECTS) $(EFI_LIB)/libgnuefi.a

$B/leftovers/leftovers.efi: $B/leftovers/leftovers.so
	$(call say,EFI,$@)
	$Q$(OBJCOPY) $(EFI_SECTIONS:%=-j %) -O efi-app-x86_64 $< $@

guest: $(GUEST_FILES) \
	$(if $(findstring rdma,$(SHOW)),$B/guest/initramfs-rdma.gz)

# What runs under Bochs: a first user process and nothing else
$B/bochs/init: tests/bochs/init.c hv/stat_abi.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(GUEST_CFLAGS) -o $@ $<

$B/bochs/initramfs: $B/bochs/init
	$(call say,CPIO,$@)
	$Qcd $(@D) && echo init | cpio --quiet -R 0:0 -H newc -o >initramfs

BOCHS_FILES := $B/gangway.efi $B/guest/vmlinuz $B/bochs/initramfs

# --- machines

# The product is built before the emulator: an error in it shows in seconds.
setup:
	@tools/setup.sh install build run

emulator:
	@tools/setup.sh install build emulator
	@tools/setup.sh emulator

# The installed QEMU with KVM, where it will do; the tests mean our emulator.
run run-usb soak: export QEMU ?= auto

run:
	@tools/setup.sh install build run emulator
	@$(MAKE) --no-print-directory $B/gangway.efi guest
	@tools/setup.sh emulator
	@$(PYTHON) tools/run.py

run-usb:
	@tools/setup.sh install build run emulator
	@$(MAKE) --no-print-directory $B/gangway-usb.img guest
	@tools/setup.sh emulator
	@$(PYTHON) tools/run.py --usb $B/gangway-usb.img

usb: setup
	@$(MAKE) --no-print-directory $B/gangway-usb.img
	@echo "$B/gangway-usb.img: write it to a stick with" \
		"dd if=$B/gangway-usb.img of=/dev/sdX bs=1M conv=fsync"

# With INITRD= one's own Linux, under the names that usb.cfg has for it
USB_KERNEL = $(or $(KERNEL),$B/guest/vmlinuz)
USB_FILES = $(if $(INITRD),$(USB_KERNEL)=vmlinuz $(INITRD)=initramfs.gz,\
	$(GUEST_FILES))
USB_CONFIG = $(or $(CONFIG),tools/usb.cfg)

$B/usb-wanted: FORCE
	@mkdir -p $(@D)
	@echo '$(KERNEL) $(INITRD) $(CONFIG) $(SIZE)' | cmp -s - $@ || \
		echo '$(KERNEL) $(INITRD) $(CONFIG) $(SIZE)' >$@

$B/gangway-usb.img: tools/image.sh $(USB_CONFIG) $B/gangway.efi $B/usb-wanted \
		$(if $(INITRD),$(USB_KERNEL) $(INITRD),$(GUEST_FILES))
	$(call say,IMAGE,$@)
	$QSIZE=$(SIZE) tools/image.sh $@ $B/gangway.efi $(USB_CONFIG) $(USB_FILES)

# --- tests

# The first line of a unit test names the files it tests; with processor_model.c
# among them, instructions are that model's functions.
unit_sources = $(shell sed -n '1s,^/\* sources: \(.*\) \*/$$,\1,p' $(1))
# The tests are written to cmocka 1.1, of which 2.0 (Debian 14) wants new names
UNIT_CFLAGS := -std=gnu11 -g -Wall -Wextra -Werror -I. \
	-Wno-deprecated-declarations \
	-fsanitize=address,undefined -fno-sanitize-recover

define unit_rule
$B/unit/$(1): tests/unit/$(1).c tests/unit/support.c \
		$(call unit_sources,tests/unit/$(1).c) $(HEADERS)
	@mkdir -p $B/unit
	$$(call say,CC,tests/unit/$(1).c)
	$$Q$(CC) $$(if $$(filter %/processor_model.c,$$^),-Itests/unit/processor) \
		$$(if $$(filter boot/%.c,$$^),$(EFI_CFLAGS) -fshort-wchar) \
		$(UNIT_CFLAGS) -o $$@ $$(filter %.c,$$^) -lcmocka
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(notdir $t))))

# The concurrent parts on the host: by threads, and under a scheduler, for which
# their variables get sections with names, so that each run starts with them as
# they were.
THREAD_C := hv/cpu.c hv/cpu_stop.c hv/panic_state.c hv/vmx/ept.c hv/vmx/guest.c \
	hv/vmx/nmi.c hv/vmx/run.c hv/vmx/trap.c guest/assign/stop.c
SCHEDULE_OBJECTS := $(patsubst %.c,$B/threads/%.o,$(THREAD_C) \
	hv/machine/events.c)
THREAD_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror \
	-Wno-deprecated-declarations -Itests/threads/host -I.
THREAD_HEADERS := $(HEADERS) $(wildcard tests/threads/*.h \
	tests/threads/host/hv/*.h tests/threads/host/hv/vmx/*.h)
THREAD_TESTS := $B/threads/flush $B/threads/schedule

$B/threads/flush: tests/threads/flush.c tests/threads/model.c $(THREAD_C) \
		$(THREAD_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(THREAD_CFLAGS) -fsanitize=thread -o $@ $(filter %.c,$^) \
		-lcmocka -lpthread

$B/threads/%.o: %.c $(THREAD_HEADERS)
	@mkdir -p $(@D)
	$Q$(CC) $(THREAD_CFLAGS) -include tests/threads/hooks.h -c -o $@ $<
	$Q$(OBJCOPY) --rename-section .data=product_data \
		--rename-section .bss=product_bss,alloc,load,data,contents $@

$B/threads/schedule: tests/threads/schedule.c tests/threads/processor.c \
		tests/threads/model.c $(SCHEDULE_OBJECTS) $(THREAD_HEADERS)
	$(call say,CC,$<)
	$Q$(CC) $(THREAD_CFLAGS) -o $@ $(filter %.c %.o,$^)

# Everything that can happen, with tables of two entries
SMALL_CFLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Werror -DPT_INDEX_BITS=1 \
	-Itests/small_world/host -I.
SMALL_WORLDS := $(patsubst tests/%.c,$B/%,$(wildcard tests/small_world/*.c))

define small_rule
$B/small_world/$(1): tests/small_world/$(1).c \
		$(call unit_sources,tests/small_world/$(1).c) $(HEADERS) \
		$(wildcard tests/small_world/host/hv/*.h)
	@mkdir -p $B/small_world
	$$(call say,CC,tests/small_world/$(1).c)
	$$Q$(CC) $(SMALL_CFLAGS) -o $$@ $$(filter %.c,$$^)
endef
$(foreach t,$(SMALL_WORLDS),$(eval $(call small_rule,$(notdir $t))))

build-unit: $(UNIT_TESTS) $(THREAD_TESTS) $(SMALL_WORLDS) $(OBJECTS)

# TESTS=config: that one.  For pytest the word means something else.
UNIT_WANTED = $(or $(TESTS:%=$B/unit/test_%),build-unit)

unit:
	@tools/setup.sh install build test
	@$(MAKE) --no-print-directory $(UNIT_WANTED)
	@$(PYTHON) tools/test.py unit

# What the whole-machine tests boot
VM_FILES := $B/gangway-usb.img $(ATTACK_FILES) $B/leftovers/leftovers.efi \
	$(BOCHS_FILES)

vm-tests:
	@tools/setup.sh install build run test bochs emulator
	@$(MAKE) --no-print-directory $(VM_FILES)
	@tools/setup.sh emulator
	@$(PYTHON) tools/test.py vm

vm-tests-long:
	@tools/setup.sh install build run test emulator
	@$(MAKE) --no-print-directory $(VM_FILES)
	@tools/setup.sh emulator
	@$(PYTHON) tools/test.py vm-long

promises:
	@tools/setup.sh install build run test emulator
	@$(MAKE) --no-print-directory $B/gangway.efi guest
	@tools/setup.sh emulator
	@rm -f $B/promises.json
	@TESTS='-k "test_promises and not page and not exiting"' \
		$(PYTHON) tools/test.py vm || [ -e $B/promises.json ]
	@$(PYTHON) tools/promises.py

# The work that is compared, in an archive that the kernel unpacks after the rest
$B/bench/bin/work: tests/bench/work.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(GUEST_CFLAGS) -o $@ $<

$B/bench/initramfs.gz: $B/guest/initramfs.gz $B/bench/bin/work
	$(call say,CPIO,$@)
	$Qcd $(@D) && echo bin/work | cpio --quiet -R 0:0 -H newc -o | \
		gzip -n | cat ../guest/initramfs.gz - >$(@F)

bench:
	@tools/setup.sh install build run emulator
	@$(MAKE) --no-print-directory $B/gangway.efi $B/bench/initramfs.gz
	@tools/setup.sh emulator
	@$(PYTHON) tools/bench.py $(or $(N),3)

test-bochs:
	@tools/setup.sh install build run bochs
	@$(MAKE) --no-print-directory $(BOCHS_FILES)
	@$(PYTHON) tools/bochs.py $(MODEL)

test-kvm:
	@tools/setup.sh install build run emulator
	@$(MAKE) --no-print-directory $B/gangway.efi guest
	@tools/setup.sh emulator
	@$(PYTHON) tools/kvm.py

test:
	@tools/setup.sh install build run test fuzz bochs emulator
	@$(MAKE) --no-print-directory build-unit build-fuzz $(VM_FILES)
	@tools/setup.sh emulator
	@FUZZ_SEED=$(or $(FUZZ_SEED),1) $(PYTHON) tools/test.py unit fuzz vm

# What make test-all adds to make test, in this order.  Each target counts as a
# test, and tools/test.py notes its own in $B/counts.
LONG_TESTS := lint format-check models mutants prove vm-tests-long test-labs \
	test-kvm test-distributions

test-all:
	@tools/setup.sh install build run test fuzz bochs emulator lint models prove \
		course
	@mkdir -p $B && rm -f $B/counts
	@$(MAKE) --no-print-directory test || [ -s $B/counts ] || \
		echo 0 1 test >>$B/counts
	@start=$$(date +%s); for target in $(LONG_TESTS); do \
		if $(MAKE) --no-print-directory $$target; \
		then echo 1 0 >>$B/counts; else echo 0 1 $$target >>$B/counts; fi; \
		echo "test-all: $$target ended $$(($$(date +%s) - start)) s after" \
			"make test"; done
	@awk '$$3 { print "failed: make " $$3 } { p += $$1; f += $$2 } \
		END { print p " passed, " f " failed"; \
		exit f > 0 || p == 0 }' $B/counts

# Those that need no machine, where compilers and libraries are others
test-distributions:
	@tools/distributions.sh

# --- the course

$B/course/rows.gz: $(wildcard course/11/*.sh) tools/archive.sh \
		$B/guest/vmlinuz
	@mkdir -p $(@D)
	$(call say,CPIO,$@)
	$Qcourse/11/initramfs.sh $B/guest/kernel $@

$B/course/initramfs.gz: $B/guest/initramfs.gz $B/course/rows.gz
	$Qcat $^ >$@

# What its machines boot: all labs', and those of single ones, which are fetched
# when they are wanted
LAB_FILES_10 := $B/guest/initramfs-rdma.gz
LAB_FILES_11 := $B/course/initramfs.gz
LAB_FILES_14 := $(LAB_FILES_10)
LAB_FILES = $B/gangway.efi $B/attack/kernel $(GUEST_FILES) \
	$(sort $(foreach n,$(or $*,$(LABS),10 11 14),$(LAB_FILES_$n)))
LAB = $(PYTHON) tools/lab.py

# What is said on the way is not part of the JSON.
define set_up_labs
@tools/setup.sh install build run test emulator course
@$(MAKE) --no-print-directory $(LAB_FILES) $(if $(JSON),>&2)
@tools/setup.sh emulator
endef

lab-% play-% solve-%: FORCE
	$(set_up_labs)
	@$(LAB) $(subst -, ,$@)

check-%: FORCE
	$(set_up_labs)
	@$(LAB) check $* $(if $(JSON),--json)

check:
	$(set_up_labs)
	@$(LAB) check $(if $(JSON),--json)

test-labs:
	$(set_up_labs)
	@$(LAB) test $(LABS)

book:
	@tools/setup.sh install book
	@$(PYTHON) tools/book.py $B/book

# libFuzzer is clang's: these are built by clang, whatever CC is.
FUZZ_CC ?= clang
FUZZ_CFLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Werror -I. \
	-fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=undefined \
	-fsanitize-coverage-ignorelist=tests/fuzz/unwatched.txt

define fuzz_rule
$B/fuzz/$(1): tests/fuzz/$(1).c tests/fuzz/support.c hv/format.c \
		$(call unit_sources,tests/fuzz/$(1).c) $(wildcard tests/fuzz/*.h) \
		tests/fuzz/unwatched.txt $(HEADERS)
	@mkdir -p $B/fuzz
	$$(call say,FUZZ,tests/fuzz/$(1).c)
	$$Q$(FUZZ_CC) $(FUZZ_CFLAGS) -o $$@ $$(filter %.c,$$^) -lcmocka
endef
$(foreach t,$(FUZZ_PROGRAMS),$(eval $(call fuzz_rule,$(notdir $t))))

build-fuzz: $(FUZZ_PROGRAMS)

fuzz:
	@tools/setup.sh install build test fuzz
	@$(MAKE) --no-print-directory build-fuzz
	@$(PYTHON) tools/fuzz.py

schedule:
	@$(MAKE) --no-print-directory $B/threads/schedule
	@$B/threads/schedule $(or $(N),1000000) $(or $(SEED),1)

models:
	@tools/setup.sh install models
	@$(PYTHON) tools/models.py

prove:
	@tools/setup.sh install prove
	@tools/setup.sh optional contracts
	@$(PYTHON) tools/prove.py $(FILES)

mutants:
	@tools/setup.sh install build test prove
	@tools/setup.sh optional contracts
	@$(PYTHON) tools/mutants.py

mutation:
	@tools/setup.sh install build test
	@$(PYTHON) tools/mutation.py $(or $(N),60) $(or $(SEED),1)

coverage:
	@tools/setup.sh install build test
	@$(PYTHON) tools/coverage.py

soak:
	@tools/setup.sh install build run emulator
	@$(MAKE) --no-print-directory $B/gangway.efi guest
	@tools/setup.sh emulator
	@$(PYTHON) tools/soak.py $(or $(N),50)

attack-time:
	@tools/setup.sh install build run test emulator
	@$(MAKE) --no-print-directory $B/gangway.efi $B/attack/kernel guest
	@tools/setup.sh emulator
	@DURATION=$(or $(DURATION),60) N=$(or $(N),100) $(PYTHON) -m pytest -v \
		-p no:cacheprovider tests/vm/test_attack_time.py

# One version, which Debian 12 and 13 have: others format otherwise.
CLANG_FORMAT ?= clang-format-19

attack-random:
	@tools/setup.sh install build run test emulator
	@$(MAKE) --no-print-directory $B/gangway.efi $B/attack/kernel guest
	@tools/setup.sh emulator
	@SEED=$(SEED) DURATION=$(or $(DURATION),3600) $(PYTHON) -m pytest -v \
		-p no:cacheprovider -s 'tests/vm/test_concurrency.py::test_random[max]'

format-check:
	@tools/setup.sh install lint
	@$(CLANG_FORMAT) --version
	$Q$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

lint:
	@tools/setup.sh install lint
	@shellcheck --version | grep version:
	$Qshellcheck $(SCRIPTS)
	$Q$(PYTHON) -m py_compile tools/*.py tests/vm/*.py tests/*/make_*.py \
		course/*/*.py
	$Q$(PYTHON) tools/lab.py lint
	$Q$(PYTHON) tools/check_docs.py

# What students wrote stays: build/lab-3 and the like.
clean:
	[ ! -d $B ] || find $B -mindepth 1 -maxdepth 1 ! -name 'lab-*' \
		-exec rm -rf {} +

-include $(OBJECTS:.o=.d) $(ATTACK_OBJECTS:.o=.d) $(LEFTOVER_OBJECTS:.o=.d)
