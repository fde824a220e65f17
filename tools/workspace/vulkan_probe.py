"""Lists the Vulkan devices of this machine as JSON: run as a program of its own.

A broken graphics driver may crash whoever loads it; hence the process of its own. The output
is a list of objects with `name`, `cpu` (a software renderer), `api` (version of Vulkan, two
integers) and `driver` (what the driver says of itself, such as `Mesa 23.1.0 (LLVM 15.0.6)`).
"""

import ctypes
import json

_VK_API_VERSION_1_1 = (1 << 22) | (1 << 12)
_TYPE_CPU = 4
_STRUCTURE_PROPERTIES_2 = 1000059001
_STRUCTURE_DRIVER_PROPERTIES = 1000196000


class _ApplicationInfo(ctypes.Structure):
    _fields_ = (
        ("sType", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("pApplicationName", ctypes.c_char_p),
        ("applicationVersion", ctypes.c_uint32),
        ("pEngineName", ctypes.c_char_p),
        ("engineVersion", ctypes.c_uint32),
        ("apiVersion", ctypes.c_uint32),
    )


class _InstanceCreateInfo(ctypes.Structure):
    _fields_ = (
        ("sType", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("pApplicationInfo", ctypes.POINTER(_ApplicationInfo)),
        ("enabledLayerCount", ctypes.c_uint32),
        ("ppEnabledLayerNames", ctypes.c_void_p),
        ("enabledExtensionCount", ctypes.c_uint32),
        ("ppEnabledExtensionNames", ctypes.c_void_p),
    )


class _DriverProperties(ctypes.Structure):
    _fields_ = (
        ("sType", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("driverID", ctypes.c_int),
        ("driverName", ctypes.c_char * 256),
        ("driverInfo", ctypes.c_char * 256),
        ("conformanceVersion", ctypes.c_uint8 * 4),
    )


class _DeviceProperties(ctypes.Structure):
    _fields_ = (
        ("sType", ctypes.c_int),
        ("pNext", ctypes.POINTER(_DriverProperties)),
        ("apiVersion", ctypes.c_uint32),
        ("driverVersion", ctypes.c_uint32),
        ("vendorID", ctypes.c_uint32),
        ("deviceID", ctypes.c_uint32),
        ("deviceType", ctypes.c_int),
        ("deviceName", ctypes.c_char * 256),
        # Identifier, limits and flags, of which nothing is read; aligned as in the C structure.
        ("rest", ctypes.c_uint64 * 128),
    )


def devices() -> list[dict[str, object]]:
    """Asks the Vulkan loader; an empty list where there is no loader or no driver."""
    try:
        vulkan = ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return []
    application = _ApplicationInfo(sType=0, apiVersion=_VK_API_VERSION_1_1)
    create = _InstanceCreateInfo(sType=1, pApplicationInfo=ctypes.pointer(application))
    instance = ctypes.c_void_p()
    if vulkan.vkCreateInstance(ctypes.byref(create), None, ctypes.byref(instance)) != 0:
        return []
    count = ctypes.c_uint32()
    if vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None) != 0:
        return []
    handles = (ctypes.c_void_p * count.value)()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles)
    found: list[dict[str, object]] = []
    for handle in handles:
        driver = _DriverProperties(sType=_STRUCTURE_DRIVER_PROPERTIES)
        device = _DeviceProperties(sType=_STRUCTURE_PROPERTIES_2, pNext=ctypes.pointer(driver))
        vulkan.vkGetPhysicalDeviceProperties2(ctypes.c_void_p(handle), ctypes.byref(device))
        found.append(
            {
                "name": device.deviceName.decode(errors="replace"),
                "cpu": device.deviceType == _TYPE_CPU,
                "api": [device.apiVersion >> 22 & 0x7F, device.apiVersion >> 12 & 0x3FF],
                "driver": driver.driverInfo.decode(errors="replace"),
            }
        )
    return found


if __name__ == "__main__":
    print(json.dumps(devices()))
