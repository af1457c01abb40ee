# SPDX-License-Identifier: GPL-2.0-only
vmbus := server signal chan chan_fd chan_map gpadl bus_state
