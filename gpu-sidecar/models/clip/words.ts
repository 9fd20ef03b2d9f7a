/** Words that the made tokenizers keep whole, the commonest first, as far as their vocabulary has room. */
export const commonWords: readonly string[] =
  `a the of in and on with to is at by for from an photo picture image two one three red green blue yellow black white
  grey brown orange pink purple dark light bright small large big old young new man woman child boy girl people person
  dog cat bird horse cow sheep fish tree forest mountain beach sea ocean river lake water sky cloud sun moon night day
  sunset sunrise snow rain city street road car bus train bicycle boat plane house building bridge door window room
  table chair food fruit apple cake bread coffee flower garden grass field leaf stone sand fire smoke hand face eye
  hair hat dress shirt shoe ball game book phone computer screen sign wall floor running sitting standing walking
  looking holding playing eating sleeping under over behind near next between front background summer winter autumn
  spring happy sad close up view top side high low long short round square hot cold fast slow quiet busy empty full`
    .split(/\s+/)
    .filter(Boolean);
