/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers of the ACPI, PCI and firmware configuration devices and of the serial port: any state
 * that restore takes, any offset, size, value and time, any file of 16 bytes.
 *
 * eva: src/platform/acpi_pm.c src/platform/fw_cfg.c src/platform/pci.c src/platform/uart.c
 */
#include <libsvm/platform/acpi_pm.h>
#include <libsvm/platform/fw_cfg.h>
#include <libsvm/platform/pci.h>
#include <libsvm/platform/uart.h>

void eva_main(void);

static void any_pm(void)
{
	const struct svm_wire nowhere = { 0 };
	struct svm_acpi_pm_state state;
	struct svm_acpi_pm pm;

	svm_acpi_pm_init(&pm, &nowhere, &nowhere);
	Frama_C_make_unknown((char *)&state, sizeof(state));
	if (svm_acpi_pm_restore(&pm, &state))
		return;
	(void)svm_acpi_pm_read(&pm, (uint32_t)eva_any(), (uint32_t)eva_any(), eva_any());
	svm_acpi_pm_write(&pm, (uint32_t)eva_any(), (uint32_t)eva_any(), (uint32_t)eva_any(),
	                  eva_any());
	svm_acpi_pm_press_button(&pm, eva_any());
	(void)svm_acpi_pm_deadline(&pm);
	svm_acpi_pm_advance(&pm, eva_any());
	svm_acpi_pm_save(&pm, &state);
	svm_acpi_pm_reset(&pm, eva_any());
}

static uint32_t any_device_read(void *arg, uint32_t offset, uint32_t size)
{
	/*@ assert arg == \null; */
	/*@ assert offset < 256; */
	/*@ assert size <= 4; */
	return (uint32_t)eva_any();
}

static void any_device_write(void *arg, uint32_t offset, uint32_t size, uint32_t value)
{
	(void)value;
	/*@ assert arg == \null; */
	/*@ assert offset < 256; */
	/*@ assert size <= 4; */
}

static void any_pci(void)
{
	static const struct svm_pci_device device = { any_device_read, any_device_write, 0 };
	const struct svm_wire nowhere = { 0 };
	struct svm_pci_state state;
	struct svm_pci pci;

	svm_pci_init(&pci, (uint32_t)eva_any(), &nowhere);
	(void)svm_pci_attach(&pci, (uint32_t)eva_any(), &device);
	Frama_C_make_unknown((char *)&state, sizeof(state));
	if (svm_pci_restore(&pci, &state))
		return;
	(void)svm_pci_read(&pci, (uint32_t)eva_any(), (uint32_t)eva_any());
	svm_pci_write(&pci, (uint32_t)eva_any(), (uint32_t)eva_any(), (uint32_t)eva_any());
	svm_pci_save(&pci, &state);
	svm_pci_reset(&pci);
}

static void any_fw_cfg(void)
{
	static uint8_t bytes[16];
	const struct svm_fw_cfg_file file = { "etc/any", bytes, sizeof(bytes) };
	struct svm_fw_cfg_state state;
	struct svm_fw_cfg fw;

	Frama_C_make_unknown((char *)bytes, sizeof(bytes));
	svm_fw_cfg_init(&fw, eva_any(), (uint16_t)eva_any(), (uint16_t)eva_any());
	if (svm_fw_cfg_add(&fw, &file))
		return;
	Frama_C_make_unknown((char *)&state, sizeof(state));
	if (svm_fw_cfg_restore(&fw, &state))
		return;
	(void)svm_fw_cfg_read(&fw, (uint32_t)eva_any(), (uint32_t)eva_any());
	svm_fw_cfg_write(&fw, (uint32_t)eva_any(), (uint32_t)eva_any(), (uint32_t)eva_any());
	svm_fw_cfg_save(&fw, &state);
	svm_fw_cfg_reset(&fw);
}

static void any_uart(void)
{
	const struct svm_wire nowhere = { 0 };
	struct svm_uart_state state;
	struct svm_uart uart;

	svm_uart_init(&uart, &nowhere, 0, 0);
	Frama_C_make_unknown((char *)&state, sizeof(state));
	if (svm_uart_restore(&uart, &state))
		return;
	(void)svm_uart_read(&uart, (uint32_t)eva_any(), (uint32_t)eva_any());
	svm_uart_write(&uart, (uint32_t)eva_any(), (uint32_t)eva_any(), (uint32_t)eva_any());
	(void)svm_uart_receive(&uart, (uint8_t)eva_any());
	(void)svm_uart_receive_break(&uart);
	svm_uart_save(&uart, &state);
	svm_uart_reset(&uart);
}

void eva_main(void)
{
	any_pm();
	any_pci();
	any_fw_cfg();
	any_uart();
}
