// OpenFX pixel layouts: interleaved, in this order.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OfxRGBAColourB {
  unsigned char r, g, b, a;
} OfxRGBAColourB;
typedef struct OfxRGBAColourS {
  unsigned short r, g, b, a;
} OfxRGBAColourS;
typedef struct OfxRGBAColourF {
  float r, g, b, a;
} OfxRGBAColourF;
typedef struct OfxRGBColourB {
  unsigned char r, g, b;
} OfxRGBColourB;
typedef struct OfxRGBColourS {
  unsigned short r, g, b;
} OfxRGBColourS;
typedef struct OfxRGBColourF {
  float r, g, b;
} OfxRGBColourF;

#ifdef __cplusplus
}
#endif
