/*
 * The guest's devices.  The addresses are those of hv/guest_layout.h; the unit
 * test of the ACPI tables compares them.
 */
DefinitionBlock ("", "DSDT", 2, "GANGWY", "GANGWAY", 1)
{
	/* Sleep type of power-off (GUEST_S5_TYPE), for the sleep control
	 * register of the FADT (ACPI 6.3 7.4.2.6) */
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_SEG, 0)
			Name (_BBN, 0)
			/* Written by guest/acpi.c: the window above 4 GiB */
			Name (HBAS, 0x4553414248474948) /* "HIGHBASE" */
			Name (HSIZ, 0x455a495348474948) /* "HIGHSIZE" */
			Name (LOWR, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite,
					0, 0xc0000000, 0xdfffffff, 0,
					0x20000000)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0xc000, 0xcfff, 0, 0x1000)
			})
			Name (HIGR, ResourceTemplate ()
			{
				QWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite, 0, 0x100000000, 0x100000fff,
					0, 0x1000, , , WIN)
			})
			Method (_CRS, 0, Serialized)
			{
				If (LEqual (HSIZ, 0))
				{
					Return (LOWR)
				}
				CreateQWordField (HIGR, ^WIN._MIN, BASE)
				CreateQWordField (HIGR, ^WIN._MAX, LAST)
				CreateQWordField (HIGR, ^WIN._LEN, SIZE)
				Store (HBAS, BASE)
				Store (HSIZ, SIZE)
				Subtract (Add (HBAS, HSIZ), 1, LAST)
				Return (ConcatenateResTemplate (LOWR, HIGR))
			}

			/* Nothing of PCI Express is handed to the guest: no
			 * hot plug, PME, AER, capability structure control, LTR
			 * (PCI Firmware 3.2, 4.5.1) */
			Method (_OSC, 4, Serialized)
			{
				CreateDWordField (Arg3, 0, STAT)
				If (LEqual (Arg0, ToUUID (
				    "33db4d5b-1ff7-401c-9657-7441c03dd766")))
				{
					If (LGreaterEqual (Arg2, 3))
					{
						CreateDWordField (Arg3, 8, CTRL)
						If (CTRL)
						{
							Store (Zero, CTRL)
							Or (STAT, 0x10, STAT)
						}
					}
				}
				Else
				{
					Or (STAT, 0x04, STAT)
				}
				Return (Arg3)
			}
		}

		/* What belongs to no other device: the ECAM window, the sleep
		 * registers, the reset port */
		Device (RSVD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xe0000000, 0x100000)
				IO (Decode16, 0x600, 0x600, 1, 2)
				IO (Decode16, 0xcf9, 0xcf9, 1, 1)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x3f8, 0x3f8, 1, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh,
					Exclusive) { 4 }
			})
		}

		Device (RTC0)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x70, 0x70, 1, 2)
			})
		}
	}
}
