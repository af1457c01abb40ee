# SPDX-License-Identifier: GPL-2.0-or-later
vmbus-lib := ring msg conn offer gpadl chan
