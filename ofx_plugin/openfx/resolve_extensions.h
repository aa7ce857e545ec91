// What DaVinci Resolve adds to OpenFX. Not in the standard: read each only where the host has it.
#pragma once

// int 1, render argument: which eye of a stereo timeline.
#define kResolvePropEyeToRender "OfxImageEffectPropEyeToRender"
#define kResolveEyeLeft 0
#define kResolveEyeRight 1

// string 1, argument of CreateInstance: "Edit", "Color" or "Fusion".
#define kResolvePropPage "OfxImageEffectPropResolvePage"

// int 1, clip: a thumbnail is being made.
#define kResolveClipPropThumbnail "kOfxImageClipPropThumbnail"
