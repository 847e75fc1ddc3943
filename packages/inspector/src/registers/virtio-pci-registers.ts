/** Fields of struct virtio_pci_common_cfg ("Common configuration structure layout"). */
import type { NamedRegister } from './named-register.ts';

export const COMMON_REGISTERS: readonly NamedRegister[] = [
  [0, 4, 'device_feature_select'],
  [4, 4, 'device_feature'],
  [8, 4, 'driver_feature_select'],
  [12, 4, 'driver_feature'],
  [16, 2, 'config_msix_vector'],
  [18, 2, 'num_queues'],
  [20, 1, 'device_status'],
  [21, 1, 'config_generation'],
  [22, 2, 'queue_select'],
  [24, 2, 'queue_size'],
  [26, 2, 'queue_msix_vector'],
  [28, 2, 'queue_enable'],
  [30, 2, 'queue_notify_off'],
  [32, 8, 'queue_desc'],
  [40, 8, 'queue_driver'],
  [48, 8, 'queue_device'],
  [56, 2, 'queue_notif_config_data'],
  [58, 2, 'queue_reset'],
  [60, 2, 'admin_queue_index'],
  [62, 2, 'admin_queue_num'],
];
