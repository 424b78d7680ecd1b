// Samples of what each pixel has shown, compared with the picture by colour and by texture; limits and learning rates
// follow each pixel's own behaviour (St-Charles, Bilodeau and Bergevin 2015). One thread per pixel.
//
// A sample agrees when no channel is farther away than half of level_limit, no more than bit_limit pattern bits are
// unequal, and levels of all channels + 11 per unequal bit are at most level_limit. Background: two samples agree.
// foreground: q^2 / (1 + q^2), q the second nearest sample's distance over level_limit; kept on the mask's side of 1/2.
// shadow: foreground that is `light` times the background plate, shadow_darkest <= light < 1, within shadow_levels.
// raw: foreground without shadows.
//
// maps: 0, 1 mean distance to the nearest sample, over long and short times; 2, 3 share of frames in raw and in the
// final mask; 4 variation (grows where raw blinks); 5 patience (frames per update); 6 reach (scale of both limits);
// 7 stood (frames that foreground has not changed, less those that it has); 8 seen (frames that agreed since the
// background was last exchanged); 9 to 11 the background plate.
// Own samples are replaced here; copies for neighbours are announced in `pushes`, for sample_spread.
// Pixels that agree learn. So do ghosts, foreground that has stood for ghost_first + ghost_share seen frames, at most
// ghost_last: what left a background that was never seen goes soon. And all where more than flood_count pixels were
// foreground in the last frame: then the light has changed.
// A chance of 0 changes nothing at all; below 0 each pixel takes its own.
//
// planes: (4, height + 4, pitch) uint8.   bits: (height, pitch - 32) int16.   maps: (12, height, width) float32.
// colors: (height, blocks, samples, 3, 32) uint8.   patterns: (height, blocks, samples, 32) int16; blocks of 32 pixels.
// last_mask, blink, raw, shadow: (height, width) uint8, 0 or 1.   last_light, pushes: (height, width) uint8.
// crowd: (1) int32, pixels in raw.   background: (height, width, 3) uint8.
#include "pixel_hash.cuh"

__device__ __forceinline__ int push_code(const unsigned int number, const bool restless) {
  if (restless) return (int)(((number >> 16) * 24u) >> 16) + 1;
  const int place = (int)((number >> 16) >> 13), ring = place + (place >= 4 ? 1 : 0);
  const int inside = (ring / 3 + 1) * 5 + ring % 3 + 1;
  return inside < 12 ? inside + 1 : inside;
}

extern "C" __global__ void sample_consensus(
    const unsigned char* __restrict__ planes, const short* __restrict__ bits, unsigned char* __restrict__ colors,
    short* __restrict__ patterns, float* __restrict__ maps, const unsigned char* __restrict__ last_mask,
    const unsigned char* __restrict__ blink, unsigned char* __restrict__ last_light, const int* __restrict__ before,
    int* __restrict__ crowd, const unsigned int frame, const float chance, const float color_distance,
    const float bit_distance, const float long_rate, const float short_rate, const float least_patience,
    const float most_patience, const float ghost_first, const float ghost_share,
    const float ghost_last, const float still_levels, const float flood_count,
    const float shadow_darkest, const float shadow_levels, const float plate_rate, float* __restrict__ foreground,
    unsigned char* __restrict__ raw, unsigned char* __restrict__ shadow, unsigned char* __restrict__ background,
    unsigned char* __restrict__ pushes, const int samples, const int height, const int width, const int pitch) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const int i = y * width + x, count = height * width;
  const int at = (y + 2) * pitch + x + 16, plane = (height + 4) * pitch;
  const int here = (y * (pitch / 32 - 1) + x / 32) * samples, lane = x % 32;
  const int red = planes[at], green = planes[plane + at], blue = planes[2 * plane + at];
  const int light_now = planes[3 * plane + at];
  const int own_bits = bits[y * (pitch - 32) + x];

  const float reach = maps[6 * count + i];
  const bool was_restless = reach > 3.0f || maps[2 * count + i] - maps[3 * count + i] > 0.1f;
  const int level_limit = (int)(reach * color_distance * 3.0f - (was_restless ? 0.0f : 18.0f));
  const int power = reach < 1.5f ? 2 : (reach < 2.5f ? 4 : (reach < 3.5f ? 8 : 16));
  const int bit_limit = power + (int)bit_distance + (was_restless ? 3 : 0);
  const int channel_limit = level_limit >> 1;
  int good = 0, first = 16384, second = 16384, fewest = 16;
  for (int sample = 0; sample < samples && good < 2; sample++) {
    const unsigned char* color = colors + (here + sample) * 96 + lane;
    const int dr = abs(red - color[0]), dg = abs(green - color[32]), db = abs(blue - color[64]);
    const int unequal = __popc((own_bits ^ patterns[(here + sample) * 32 + lane]) & 65535);
    const int joint = dr + dg + db + 11 * unequal;
    if (max(dr, max(dg, db)) <= channel_limit && joint <= level_limit && unequal <= bit_limit) {
      good++;
      fewest = min(fewest, unequal);
    }
    second = min(second, max(first, joint));
    first = min(first, joint);
  }

  float plate_r = maps[9 * count + i], plate_g = maps[10 * count + i], plate_b = maps[11 * count + i];
  const float ratio = (float)second / (float)max(level_limit, 1);
  const float squares = ratio * ratio;
  const float odds = squares / (squares + 1.0f);
  const bool is_off = good < 2;
  const float r = red, g = green, b = blue;
  const float light = (r * plate_r + g * plate_g + b * plate_b + 1.0f) /
                      (plate_r * plate_r + plate_g * plate_g + plate_b * plate_b + 1.0f);
  const float er = r - light * plate_r, eg = g - light * plate_g, eb = b - light * plate_b;
  const float residue = er * er + eg * eg + eb * eb;
  const bool dark = is_off && light >= shadow_darkest && light < 1.0f && residue < shadow_levels * shadow_levels;
  const bool is_raw = is_off && !dark;
  foreground[i] = is_off ? fmaxf(odds, 0.5f) : fminf(odds, 0.49f);
  raw[i] = is_raw;
  shadow[i] = dark;

  if (chance != 0.0f) {
    if (is_raw) atomicAdd(crowd, 1);
    const float missing = (float)max(2 - good, 0) * 0.5f;
    const float levels = (float)min(first, 765) * (1.0f / 765.0f);
    const float apart = fminf((levels + (float)fewest * 0.0625f) * 0.5f + missing, 1.0f);
    const float apart_long = maps[i] + long_rate * (apart - maps[i]);
    const float apart_short = maps[count + i] + short_rate * (apart - maps[count + i]);
    const bool was_final = last_mask[i] != 0;
    const float raw_share = maps[2 * count + i] + long_rate * ((is_raw ? 1.0f : 0.0f) - maps[2 * count + i]);
    const float final_share = maps[3 * count + i] + long_rate * ((was_final ? 1.0f : 0.0f) - maps[3 * count + i]);
    const float small = fminf(apart_long, apart_short), large = fmaxf(apart_long, apart_short);
    const bool restless = reach > 3.0f || raw_share - final_share > 0.1f;

    float v = maps[4 * count + i];
    const float calmer = 0.1f * (was_final ? 0.25f : (restless ? 0.5f : 1.0f));
    v = blink[i] != 0 && large > 0.1f ? v + 1.0f : fmaxf(v - calmer, 0.1f);
    const bool holds = was_final || (small < 0.1f && is_raw);
    const float safe = fmaxf(large, 0.01f);
    float t = maps[5 * count + i];
    t = holds ? t + 0.5f / (safe * v) : t - 0.25f * v / safe;
    t = fminf(fmaxf(t, least_patience), most_patience);
    const float wanted = (1.0f + 2.0f * small) * (1.0f + 2.0f * small);
    const float d = reach < wanted ? reach + 0.01f * (v - 0.1f) : fmaxf(reach - 0.01f / v, 1.0f);

    const bool quiet = fabsf((float)light_now - (float)last_light[i]) <= still_levels;
    const float stood = maps[7 * count + i], seen = maps[8 * count + i];
    const float stays = is_raw && quiet ? stood + 1.0f : fmaxf(stood - 1.0f, 0.0f);
    const bool flood = (float)before[0] > flood_count;
    const bool is_ghost = is_raw && (stays >= fminf(ghost_first + ghost_share * seen, ghost_last) || flood);
    float share = chance < 0.0f ? (is_ghost ? 1.0f : 1.0f / t) : chance;
    if (is_off && !is_ghost) share = 0.0f;
    const unsigned int number = pixel_hash((unsigned int)i, mixed(frame));
    const bool own = (float)(number & 65535u) < share * 65536.0f;
    const float wider = share * (restless ? 2.0f : 1.0f);
    const bool push = (float)(number >> 16) < wider * 65536.0f;
    maps[i] = apart_long;
    maps[count + i] = apart_short;
    maps[2 * count + i] = raw_share;
    maps[3 * count + i] = final_share;
    maps[4 * count + i] = v;
    maps[5 * count + i] = t;
    maps[6 * count + i] = fminf(d, 8.0f);
    maps[7 * count + i] = fminf(stays, 65535.0f);
    maps[8 * count + i] = is_ghost ? 0.0f : fminf(seen + (is_off ? 0.0f : 1.0f), 65535.0f);
    const float step = !is_off ? plate_rate : (own ? 0.5f : 0.0f);
    plate_r = plate_r + step * (r - plate_r);
    plate_g = plate_g + step * (g - plate_g);
    plate_b = plate_b + step * (b - plate_b);
    maps[9 * count + i] = plate_r;
    maps[10 * count + i] = plate_g;
    maps[11 * count + i] = plate_b;
    if (own) {
      const unsigned int choice = mixed(number ^ 0x5BD1E995u);
      const int slot = here + (int)(((choice & 65535u) * (unsigned int)samples) >> 16);
      colors[slot * 96 + lane] = (unsigned char)red;
      colors[slot * 96 + 32 + lane] = (unsigned char)green;
      colors[slot * 96 + 64 + lane] = (unsigned char)blue;
      patterns[slot * 32 + lane] = (short)own_bits;
    }
    pushes[i] = push ? (unsigned char)push_code(mixed(number ^ 0x27D4EB2Fu), restless) : 0;
    last_light[i] = (unsigned char)light_now;
  }
  background[3 * i] = (unsigned char)(int)(plate_r + 0.5f);
  background[3 * i + 1] = (unsigned char)(int)(plate_g + 0.5f);
  background[3 * i + 2] = (unsigned char)(int)(plate_b + 0.5f);
}
