/* USB controllers that firmware drives by SMIs, for keyboards and sticks. */
#ifndef DRIVERS_USB_HANDOFF_H
#define DRIVERS_USB_HANDOFF_H

/* Ask firmware to let go of each USB controller, and turn the controller's SMIs
 * off: before bus mastering is turned off under it.  A second for each at most;
 * logs those that were firmware's. */
void usb_handoff(void);

#endif
