// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI fixed hardware (ACPI 6.4, section 4.8): PM1a event and control registers, soft off, the reset
 * register and the fixed power button. There is no SMI: SCI_EN is always set, as the FADT promises by
 * giving no SMI command port. There is no PM timer either: guests have the reference TSC page.
 */
#include <errno.h>
#include <stdlib.h>

#include "acpi_pm.h"

#define STS_TMR		0x0001
#define STS_GBL		0x0020
#define STS_PWRBTN	0x0100
#define STS_RTC		0x0400
#define STS_WAK		0x8000
#define STS_CLEARABLE	(STS_TMR | STS_GBL | STS_PWRBTN | STS_RTC | STS_WAK)

#define EN_ALL		(STS_TMR | STS_GBL | STS_PWRBTN | STS_RTC)

#define CNT_SCI_EN	0x0001
#define CNT_SLP_TYP(v)	((v) >> 10 & 7)
#define CNT_SLP_EN	0x2000

struct acpi_pm {
	struct device	dev;
	unsigned int	sci;
	bool		level;
	uint16_t	sts, en, cnt;
};

static void sci_update(struct acpi_pm *p)
{
	bool level = p->sts & p->en & EN_ALL;

	if (level == p->level)
		return;
	p->level = level;
	p->dev.ds->ops->irq_set(p->dev.ds, p->sci, level);
}

/* The blocks as bytes, so that any access width works. */
static uint8_t byte_read(struct acpi_pm *p, uint64_t off)
{
	switch (off) {
	case 0: return p->sts;
	case 1: return p->sts >> 8;
	case 2: return p->en;
	case 3: return p->en >> 8;
	case 4: return p->cnt;
	case 5: return p->cnt >> 8;
	}
	return 0;
}

static uint64_t pm_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	struct acpi_pm *p = dev_container(d, struct acpi_pm, dev);
	uint64_t v = 0;
	unsigned int i;

	(void)id;
	for (i = 0; i < size; i++)
		v |= (uint64_t)byte_read(p, off + i) << 8 * i;
	return v;
}

static void cnt_write(struct acpi_pm *p, uint16_t v)
{
	p->cnt = CNT_SCI_EN | (v & 0x1c02);	/* SLP_EN reads as zero */
	if (!(v & CNT_SLP_EN))
		return;
	if (CNT_SLP_TYP(v) == ACPI_PM_S5_TYPE)
		p->dev.ds->ops->power(p->dev.ds, DEV_POWER_OFF, 0);
	else if (CNT_SLP_TYP(v) == ACPI_PM_NO_BOOT_TYPE)
		p->dev.ds->ops->power(p->dev.ds, DEV_POWER_NO_BOOT, 0);
	else
		p->dev.ds->ops->log(p->dev.ds, DEV_LOG_WARN,
				    "acpi: sleep type %u is not in the tables, ignored",
				    CNT_SLP_TYP(v));
}

static void byte_write(struct acpi_pm *p, uint64_t off, uint8_t v)
{
	switch (off) {
	case 0:
		p->sts &= ~(v & STS_CLEARABLE);
		break;
	case 1:
		p->sts &= ~(v << 8 & STS_CLEARABLE);
		break;
	case 2:
		p->en = ((p->en & 0xff00) | v) & EN_ALL;
		break;
	case 3:
		p->en = ((p->en & 0x00ff) | v << 8) & EN_ALL;
		break;
	case 4:
		p->cnt = CNT_SCI_EN | (p->cnt & 0x1c00) | (v & 0x02);
		break;
	case 5:
		cnt_write(p, (p->cnt & 0xff) | v << 8);
		break;
	case ACPI_PM_RESET:
		if (v == ACPI_PM_RESET_VALUE)
			p->dev.ds->ops->power(p->dev.ds, DEV_POWER_RESET, 0);
		break;
	}
}

static void pm_write(struct device *d, unsigned int id, uint64_t off, unsigned int size,
		     uint64_t value)
{
	struct acpi_pm *p = dev_container(d, struct acpi_pm, dev);
	unsigned int i;

	(void)id;
	for (i = 0; i < size; i++)
		byte_write(p, off + i, value >> 8 * i);
	sci_update(p);
}

void acpi_pm_press(struct device *d)
{
	struct acpi_pm *p = dev_container(d, struct acpi_pm, dev);

	pthread_mutex_lock(&d->lock);
	p->sts |= STS_PWRBTN;
	sci_update(p);
	pthread_mutex_unlock(&d->lock);
}

static void pm_reset(struct device *d)
{
	struct acpi_pm *p = dev_container(d, struct acpi_pm, dev);

	p->sts = p->en = 0;
	p->cnt = CNT_SCI_EN;
	sci_update(p);
}

static void pm_save(struct device *d, struct fields_out *out)
{
	const struct acpi_pm *p = dev_container(d, struct acpi_pm, dev);

	fields_put_u16(out, p->sts);
	fields_put_u16(out, p->en);
	fields_put_u16(out, p->cnt);
}

static int pm_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct acpi_pm *p = dev_container(d, struct acpi_pm, dev);

	(void)version;
	p->sts = fields_get_u16(in) & STS_CLEARABLE;
	p->en = fields_get_u16(in) & EN_ALL;
	p->cnt = CNT_SCI_EN | (fields_get_u16(in) & 0x1c02);
	p->level = p->sts & p->en & EN_ALL;
	return 0;
}

static void pm_release(struct device *d)
{
	free(dev_container(d, struct acpi_pm, dev));
}

static const struct dev_record pm_record = { DEV_REC_ACPI_PM, 1, pm_save, pm_load };

static const struct dev_ops pm_ops = {
	.name = "acpi-pm", .read = pm_read, .write = pm_write,
	.reset = pm_reset, .release = pm_release, .record = &pm_record,
};

int acpi_pm_create(struct device **out, struct dev_services *ds, uint16_t port, unsigned int sci)
{
	const struct dev_range range = { DEV_SPACE_PORT, port, ACPI_PM_LEN, 0 };
	struct acpi_pm *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	device_init(&p->dev, &pm_ops, ds, &range, 1);
	p->sci = sci;
	pm_reset(&p->dev);
	*out = &p->dev;
	return 0;
}
